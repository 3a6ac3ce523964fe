import type {Socket} from 'socket.io';
import type {Member} from '../../core/hub';
import type {ClientToServerEvents, ServerToClientEvents} from '../../protocol/messages';
import {roomOf, type SocketOutlet} from './outlet';
import type {CallName} from './requests';
import {toWireError} from './wire-error';

export type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents>;

/** One connection, as its handler sees it. */
export interface Connection extends Omit<Member, 'join'> {
  join(channel: string): void;
  readonly socket: LiveSocket;
  /** The network address of the client. */
  readonly address: string;
}

/** What answers the calls of one connection. */
export interface ConnectionHandler {
  /** Answers a call, or throws. */
  call(name: CallName, request: object): Promise<object>;
  /** The connection is gone. */
  closed(): void;
}

/**
 * A connection on a socket. A server has thousands of them, so that its methods are the class's and
 * not functions of its own.
 */
export class SocketConnection implements Connection {
  /** There is none while the handshake is under way. */
  handler: ConnectionHandler | undefined;
  private gone: (() => void) | undefined;

  constructor(
    readonly socket: LiveSocket,
    readonly outlet: SocketOutlet,
    readonly address: string,
  ) {}

  join(channel: string): void {
    void this.socket.join(roomOf(channel));
  }

  leave(channel: string): void {
    void this.socket.leave(roomOf(channel));
  }

  end(channel: string, error: Error): void {
    this.leave(channel);
    this.socket.emit('ended', {channel, error: toWireError(error)});
  }

  /**
   * A connection can break between the handshake and `connection`, when no `disconnect` comes; from
   * then on one does, also where the client leaves the namespace and keeps the connection.
   */
  onceGone(gone: () => void): void {
    const {conn} = this.socket;
    if (conn.readyState !== 'open') return gone();
    this.gone = gone;
    conn.on('close', gone);
  }

  /** To be called once, while the socket is connected: from here on it tells its end itself. */
  connected(): void {
    const {socket} = this;
    const gone = this.gone!;
    socket.conn.off('close', gone);
    socket.on('disconnect', gone);
  }
}
