import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import {WebSocket, WebSocketServer, type ServerOptions} from 'ws';
import type {Turns} from './turns';

/**
 * The WebSocket server for Engine.IO: that of `ws`, where each connection that breaks gets a turn
 * of its own.
 *
 * When thousands break in one moment, Node tells of all of them in one turn of the event loop. To
 * end each of them there, and to do what Engine.IO, Socket.IO, the rooms and the subscriptions then
 * do, would keep everybody else out for the time of them all. Nothing comes after the end of a
 * socket, so its order is kept; and who comes back waits behind it in the same line.
 */
export function closingInTurn(turns: Turns): new (options: ServerOptions) => WebSocketServer {
  class InTurn extends WebSocket {
    private hasHadTurn = false;

    /** The other side has ended; `ws` answers that with the end of this side, and then closes. */
    endInTurn(socket: Duplex): void {
      const end = socket.end as (...args: unknown[]) => Duplex;
      socket.end = (...args: unknown[]) => {
        this.inTurn(() => end.apply(socket, args));
        return socket;
      };
    }

    /** A connection that was reset closes without having ended. */
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event !== 'close') return super.emit(event, ...args);
      this.inTurn(() => super.emit(event, ...args));
      return true;
    }

    private inTurn(work: () => void): void {
      if (this.hasHadTurn) return work();
      turns.take(() => {
        this.hasHadTurn = true;
        work();
      });
    }
  }

  return class extends WebSocketServer<typeof InTurn> {
    constructor(options: ServerOptions) {
      super({...options, WebSocket: InTurn});
    }

    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      done: (client: InTurn, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, socket, head, (client, upgraded) => {
        client.endInTurn(socket);
        done(client, upgraded);
      });
    }
  } as new (options: ServerOptions) => WebSocketServer;
}
