import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {on, once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer, type Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import WebSocket from 'ws';
import {SocketTransport, type TransportOptions} from '../../../adapters/socketio/transport';
import {PROTOCOL_VERSION} from '../../../protocol/version';

/** Asks for many WebSockets at once, and breaks them off: a process of its own, as clients are. */
const BREAKERS = `
const {connect} = require('node:net');
const [port, count, pause] = process.argv.slice(1).map(Number);
const handshake = ['GET /realtime/?EIO=4&transport=websocket HTTP/1.1', 'Host: x',
  'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: ' + Buffer.alloc(16, 1).toString('base64'), '', ''].join('\\r\\n');
let waiting = count;
const sockets = Array.from({length: count}, () => connect(port, '127.0.0.1', () => {
  if (--waiting > 0) return;
  for (const socket of sockets) socket.write(handshake);
  setTimeout(() => sockets.forEach(socket => socket.resetAndDestroy()), pause);
}).on('error', () => undefined));
`;

describe('the transport', () => {
  let httpServer: Server;
  let transport: SocketTransport;

  beforeEach(() => given({}));
  afterEach(async () => transport.close());

  function given(options: Partial<TransportOptions>): void {
    httpServer = createServer();
    transport = givenTransport(httpServer, options);
  }

  async function listening(): Promise<string> {
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    return `ws://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  }

  it('outlives connections that break while their handshake waits for its turn', async () => {
    const url = await listening();
    for (const pause of [0, 1, 2, 3]) {
      const args = ['-e', BREAKERS, new URL(url).port, '250', String(pause)];
      const breakers = spawn(process.execPath, args, {stdio: 'inherit'});
      assert.deepEqual(await once(breakers, 'exit'), [0, null]);
    }
    assert.equal(await welcomed(url), '40');
  });

  it('calls nothing for one who has left, and has them back on the same connection', async () => {
    const told: string[] = [];
    await transport.close();
    given({
      connectionsPerAddress: 1,
      accept: async () => ({
        call: async name => ({called: told.push(name)}),
        closed: () => void told.push('closed'),
      }),
    });
    const socket = new WebSocket(`${await listening()}/realtime/?EIO=4&transport=websocket`);
    const frames = on(socket, 'message');
    const answered = async (kind: string) => {
      let text = '';
      while (!text.startsWith(kind)) text = String((await frames.next()).value[0]);
    };
    await once(socket, 'open');
    socket.send(HELLO);
    await answered('40');
    // In one piece, so that the call comes before the server has done what the first one asks.
    const {_socket: wire} = socket as unknown as {_socket: Socket};
    wire.cork();
    for (const frame of ['41', '420["logout",{}]']) socket.send(frame);
    wire.uncork();
    while (told.length === 0) await new Promise(setImmediate);
    socket.send(HELLO);
    await answered('40');
    socket.send('421["logout",{}]');
    await answered('431');
    assert.deepEqual(told, ['closed', 'logout']);
    socket.terminate();
  });

  it('forgets one whom another listener throws out before its own', async () => {
    await transport.close();
    let closed: () => void;
    const gone = new Promise<void>(resolve => (closed = resolve));
    given({
      connectionsPerAddress: 1,
      instrument: server => server.on('connect', socket => socket.disconnect(true)),
      accept: async () => ({call: async () => ({}), closed}),
    });
    const url = await listening();
    assert.equal(await welcomed(url), '40');
    await gone;
    assert.equal(await welcomed(url), '40');
  });

  it('takes connections that have no address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'live-socket-'));
    try {
      const path = join(folder, 'server');
      httpServer.listen(path);
      await once(httpServer, 'listening');
      assert.equal(await welcomed(`ws+unix:${path}:`), '40');
    } finally {
      await rm(folder, {recursive: true});
    }
  });
});

const HELLO = `40${JSON.stringify({protocol: PROTOCOL_VERSION})}`;

/** The kind of the answer to a handshake: '40' is a welcome, `44` a refusal. */
async function welcomed(url: string): Promise<string> {
  const socket = new WebSocket(`${url}/realtime/?EIO=4&transport=websocket`);
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', data => {
        const text = String(data);
        if (text.startsWith('0')) socket.send(HELLO);
        else resolve(text.slice(0, 2));
      });
    });
  } finally {
    socket.terminate();
  }
}

function givenTransport(
  httpServer: Server,
  options: Partial<TransportOptions>,
): SocketTransport {
  return new SocketTransport({
    httpServer,
    path: '/realtime',
    cors: undefined,
    payloadBytes: 100_000,
    bufferedBytes: 4_000_000,
    slowBytes: 65_536,
    opsPerSecond: 200,
    callsAtOnce: 500,
    depth: 32,
    connectionsPerAddress: Infinity,
    addressOf: undefined,
    logger: {error: (message, error) => assert.fail(`${message}: ${String(error)}`)},
    standingStill: () => [],
    instrument: undefined,
    accept: async () => ({call: async () => ({}), closed: () => undefined}),
    ...options,
  });
}
