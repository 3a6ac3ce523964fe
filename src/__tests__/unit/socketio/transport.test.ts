import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import WebSocket from 'ws';
import {SocketTransport} from '../../../adapters/socketio/transport';
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

  beforeEach(() => {
    httpServer = createServer();
    transport = givenTransport(httpServer);
  });
  afterEach(async () => transport.close());

  it('outlives connections that break while their handshake waits for its turn', async () => {
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    const {port} = httpServer.address() as AddressInfo;
    for (const pause of [0, 1, 2, 3]) {
      const args = ['-e', BREAKERS, String(port), '250', String(pause)];
      const breakers = spawn(process.execPath, args, {stdio: 'inherit'});
      assert.deepEqual(await once(breakers, 'exit'), [0, null]);
    }
    assert.equal(await welcomed(`ws://127.0.0.1:${port}`), '40');
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

/** The kind of the answer to a handshake: '40' is a welcome, `44` a refusal. */
async function welcomed(url: string): Promise<string> {
  const socket = new WebSocket(`${url}/realtime/?EIO=4&transport=websocket`);
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', data => {
        const text = String(data);
        if (text.startsWith('0')) socket.send(`40${JSON.stringify({protocol: PROTOCOL_VERSION})}`);
        else resolve(text.slice(0, 2));
      });
    });
  } finally {
    socket.terminate();
  }
}

function givenTransport(httpServer: Server): SocketTransport {
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
  });
}
