/**
 * How each subject is listened to: by the least that its protocol asks of a client, so that the
 * clients, which share the machine with the server, cost the same for all.
 *
 * A protocol's `connect(address, category)` resolves to a listener: `join(category)` resolves once
 * what is written from now on will arrive; `texts(handler)` hands over every message; `end()` cuts
 * the connection. `rowsIn(text)` answers the created rows that a message shows.
 */
import {openSocket} from './socket.mjs';
import {Zero} from './zero.mjs';

/** The frames of Socket.IO, without its client: https://socket.io/docs/v4/socket-io-protocol */
class SocketIo {
  constructor(socket) {
    this.socket = socket;
    this.acks = new Map();
    this.calls = 0;
    this.heard = () => undefined;
  }

  static connect(address, path, auth) {
    const url = `${address.replace('http', 'ws')}${path}/?EIO=4&transport=websocket`;
    const listener = new SocketIo(openSocket(url));
    return new Promise((resolve, reject) => {
      listener.socket.on('error', reject);
      listener.socket.on('close', () => reject(new Error(`${path} has closed the connection`)));
      listener.socket.on('message', data => {
        const text = data.toString();
        if (text[0] === '4' && text[1] === '2') return listener.heard(text);
        if (text[0] === '2') return listener.socket.send('3');
        if (text[0] === '0') return listener.socket.send(`40${JSON.stringify(auth ?? {})}`);
        if (text.startsWith('40')) return resolve(listener);
        if (text.startsWith('43')) return listener.answered(text.slice(2));
        return reject(new Error(text));
      });
    });
  }

  /** Sends an event and resolves with the arguments of its acknowledgement. */
  call(...event) {
    const id = this.calls++;
    return new Promise(resolve => {
      this.acks.set(id, resolve);
      this.socket.send(`42${id}${JSON.stringify(event)}`);
    });
  }

  answered(text) {
    const bracket = text.indexOf('[');
    const id = Number(text.slice(0, bracket));
    this.acks.get(id)(JSON.parse(text.slice(bracket)));
    this.acks.delete(id);
  }

  texts(handler) {
    this.heard = handler;
  }

  end() {
    this.socket.terminate();
  }
}

class LiveEntities {
  constructor(io, {pageSize = 20}) {
    this.io = io;
    this.pageSize = pageSize;
  }

  /** With the place where an earlier connection stopped: goes on from there. */
  async join(category, resume) {
    const ref = {
      type: 'Product',
      view: 'categoryView',
      viewParams: {category},
      pageSize: this.pageSize,
    };
    const [reply] = await this.io.call('subscribe', resume ? {ref, resume} : {ref});
    if (!reply.ok) throw new Error(JSON.stringify(reply.error));
    if (reply.kind === 'resumed') return {resumed: true, resume};
    const {channel, epoch, seq} = reply.snapshot;
    return {resumed: false, resume: {channel, epoch, seq}};
  }

  texts(handler) {
    this.io.texts(handler);
  }

  end() {
    this.io.end();
  }
}

class Parse {
  constructor(socket) {
    this.socket = socket;
    this.subscribed = new Map();
    this.calls = 0;
    this.heard = () => undefined;
  }

  static connect(address) {
    const parse = new Parse(openSocket(address.replace('http', 'ws')));
    const {socket} = parse;
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('Parse has closed the connection')));
      socket.on('open', () => socket.send('{"op":"connect","applicationId":"bench"}'));
      socket.on('message', data => {
        const text = data.toString();
        if (text.startsWith('{"op":"create"')) return parse.heard(text);
        const message = JSON.parse(text);
        if (message.op === 'connected') return resolve(parse);
        if (message.op === 'subscribed') return parse.subscribed.get(message.requestId)();
        return reject(new Error(text));
      });
    });
  }

  join(category) {
    const requestId = ++this.calls;
    const query = {className: 'Product', where: {category}};
    this.socket.send(JSON.stringify({op: 'subscribe', requestId, query}));
    return new Promise(resolve => this.subscribed.set(requestId, () => resolve({})));
  }

  texts(handler) {
    this.heard = handler;
  }

  end() {
    this.socket.terminate();
  }
}

class Directus {
  constructor(socket) {
    this.socket = socket;
    this.subscribed = new Map();
    this.calls = 0;
    this.heard = () => undefined;
  }

  static connect(address) {
    const directus = new Directus(openSocket(address.replace('http', 'ws')));
    const {socket} = directus;
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('Directus has closed the connection')));
      socket.on('open', () => resolve(directus));
      socket.on('message', data => {
        const text = data.toString();
        const {event, uid} = JSON.parse(text);
        if (event === 'create') directus.heard(text);
        else if (event === 'init') directus.subscribed.get(uid)();
        else throw new Error(text);
      });
    });
  }

  join(category) {
    const uid = String(++this.calls);
    const query = {filter: {category: {_eq: category}}, fields: ['*'], limit: 1};
    const subscribe = {type: 'subscribe', collection: 'product', event: 'create', query, uid};
    this.socket.send(JSON.stringify(subscribe));
    return new Promise(resolve => this.subscribed.set(uid, () => resolve({})));
  }

  texts(handler) {
    this.heard = handler;
  }

  end() {
    this.socket.terminate();
  }
}

export const PROTOCOLS = {
  'live-entities': {
    connect: async (address, options) =>
      new LiveEntities(await SocketIo.connect(address, '/realtime', {protocol: 1}), options),
    rowsIn(text) {
      const [, {ops = []}] = JSON.parse(text.slice(2));
      return ops.filter(({op}) => op === 'insert').map(({row}) => row);
    },
  },
  raw: {
    async connect(address) {
      const io = await SocketIo.connect(address, '/socket.io');
      io.join = category => io.call('join', category);
      return io;
    },
    rowsIn: text => [JSON.parse(text.slice(2))[1]],
  },
  feathers: {
    async connect(address) {
      const io = await SocketIo.connect(address, '/socket.io');
      io.join = category => io.call('create', 'views', {category}, {});
      return io;
    },
    rowsIn(text) {
      const [event, row] = JSON.parse(text.slice(2));
      return event === 'products created' ? [row] : [];
    },
  },
  parse: {
    connect: address => Parse.connect(address),
    rowsIn(text) {
      const {objectId, ...values} = JSON.parse(text).object;
      return [{id: objectId, ...values}];
    },
  },
  directus: {
    connect: address => Directus.connect(address),
    rowsIn: text => JSON.parse(text).data,
  },
  zero: {connect: address => Zero.connect(address), rowsIn: text => Zero.rowsIn(text)},
};
