import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {Worker} from 'node:worker_threads';
import {WebSocket} from 'ws';
import {closingInTurn} from '../../../adapters/socketio/closing';
import {Turns} from '../../../adapters/socketio/turns';

const COUNT = 40;
/** Becomes 1 when all clients have broken off. */
const gone = new Int32Array(new SharedArrayBuffer(4));

/** Clients in a thread of their own, which break off while the server's thread stands still. */
const CLIENTS = `
const {connect} = require('node:net');
const {once} = require('node:events');
const {parentPort, workerData: {port, count, gone}} = require('node:worker_threads');
const handshake = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' + Buffer.alloc(16, 1).toString('base64'),
  '', ''].join('\\r\\n');
const opened = Array.from({length: count}, async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write(handshake);
  await once(socket, 'data');
  return socket;
});
parentPort.on('message', async ({how}) => {
  for (const socket of await Promise.all(opened)) {
    const closed = once(socket, 'close');
    if (how === 'reset') socket.resetAndDestroy();
    // A masked text of one letter, and then the end.
    else socket.end(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]), () => socket.destroy());
    await closed;
  }
  Atomics.store(gone, 0, 1);
  Atomics.notify(gone, 0);
});
Promise.all(opened).then(() => parentPort.postMessage('open'));
`;

describe('connections that break in one moment', () => {
  let httpServer: Server;
  let clients: Worker | undefined;
  afterEach(async () => {
    await clients?.terminate();
    httpServer.close();
  });

  for (const how of ['end', 'reset']) {
    it(`close in turns of their own (${how})`, async () => {
      const {closed} = await givenSockets();
      whenAllBreak(how);
      const inOneTurn: number[] = [];
      for (let before = 0; closed.length < COUNT; before = closed.length) {
        await nextTurn();
        inOneTurn.push(closed.length - before);
      }
      assert.ok(Math.max(...inOneTurn) <= 2, `closed in one turn: ${inOneTurn.join(', ')}`);
      assert.equal(new Set(closed).size, COUNT);
    });
  }

  it('are heard to the end before they close', async () => {
    const {closed, heard} = await givenSockets();
    whenAllBreak('end');
    while (closed.length < COUNT) await nextTurn();
    for (const socket of closed) assert.deepEqual(heard.get(socket), ['a', 'close']);
  });

  it('close before it is the turn of who comes back', async () => {
    const {turns, closed, heard} = await givenSockets();
    whenAllBreak('end');
    while ([...heard.keys()].some(({readyState}) => readyState === WebSocket.OPEN)) {
      await nextTurn();
    }
    await turns.mine();
    // The system still has to tell that the last of them is shut down.
    assert.ok(COUNT - closed.length <= 2, `only ${closed.length} have closed`);
  });

  async function givenSockets() {
    const turns = new Turns();
    const server = new (closingInTurn(turns))({noServer: true, clientTracking: false});
    httpServer = createServer();
    const closed: WebSocket[] = [];
    const heard = new Map<WebSocket, string[]>();
    httpServer.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, client => {
        const events: string[] = [];
        heard.set(client, events);
        client.on('message', data => events.push(String(data)));
        client.on('close', () => events.push('close') && closed.push(client));
      });
    });
    await once(httpServer.listen(0, '127.0.0.1'), 'listening');
    const {port} = httpServer.address() as AddressInfo;
    clients = new Worker(CLIENTS, {eval: true, workerData: {port, count: COUNT, gone}});
    await once(clients, 'message');
    return {turns, closed, heard};
  }

  /** Returns when all have, before anything of it is heard here. */
  function whenAllBreak(how: string): void {
    Atomics.store(gone, 0, 0);
    clients!.postMessage({how});
    Atomics.wait(gone, 0, 0);
  }
});
