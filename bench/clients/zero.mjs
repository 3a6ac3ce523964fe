/**
 * Zero's sync protocol, as little of it as a client needs: it names queries, and is sent "pokes" of
 * rows. Each client is a group of its own, as each person's browser is.
 */
import {randomUUID} from 'node:crypto';
import {openSocket} from './socket.mjs';

const PROTOCOL = 51;
const PING_MS = 5_000;
const CLIENT_SCHEMA = {
  tables: {
    product: {
      columns: {
        id: {type: 'string'}, name: {type: 'string'}, category: {type: 'string'},
        qty: {type: 'number'}, price: {type: 'number'},
      },
      primaryKey: ['id'],
    },
  },
};

export class Zero {
  constructor(socket) {
    this.socket = socket;
    this.got = new Map();
    this.heard = () => undefined;
    // A socket that says nothing for long is taken for dead.
    this.pings = setInterval(() => socket.send('["ping",{}]'), PING_MS);
    this.pings.unref();
    socket.once('close', () => clearInterval(this.pings));
  }

  static connect(address) {
    const url = new URL(`${address.replace('http', 'ws')}/sync/v${PROTOCOL}/connect`);
    const ids = {clientID: randomUUID(), clientGroupID: randomUUID()};
    url.search = new URLSearchParams({...ids, baseCookie: '', ts: String(Date.now()), lmid: '0'});
    const socket = openSocket(url, noQueriesYet());
    return new Promise((resolve, reject) => {
      let zero;
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('Zero has closed the connection')));
      socket.on('message', data => {
        const text = data.toString();
        if (text.startsWith('["pokePart"')) return zero.poked(text);
        if (text.startsWith('["connected"')) return resolve((zero = new Zero(socket)));
        if (/^\["(poke|pong)/.test(text)) return undefined;
        if (!zero) return reject(new Error(text));
        throw new Error(text);
      });
    });
  }

  join(category) {
    const hash = `category-${category}`;
    const query = {op: 'put', hash, name: 'category', args: [{category}]};
    this.socket.send(JSON.stringify(['changeDesiredQueries', {desiredQueriesPatch: [query]}]));
    return new Promise(resolve => this.got.set(hash, () => resolve({})));
  }

  poked(text) {
    if (this.got.size > 0) this.noteGot(text);
    if (text.includes('"rowsPatch"')) this.heard(text);
  }

  noteGot(text) {
    const [, {gotQueriesPatch = []}] = JSON.parse(text);
    for (const {hash} of gotQueriesPatch) {
      this.got.get(hash)?.();
      this.got.delete(hash);
    }
  }

  texts(handler) {
    this.heard = handler;
  }

  end() {
    this.socket.terminate();
  }

  static rowsIn(text) {
    const [, {rowsPatch}] = JSON.parse(text);
    return rowsPatch.filter(({op}) => op === 'put').map(({value}) => value);
  }
}

/** A browser's WebSocket has no other field that a first message could travel in. */
function noQueriesYet() {
  const first = ['initConnection', {desiredQueriesPatch: [], clientSchema: CLIENT_SCHEMA}];
  const text = JSON.stringify({initConnectionMessage: first});
  return encodeURIComponent(Buffer.from(text).toString('base64'));
}
