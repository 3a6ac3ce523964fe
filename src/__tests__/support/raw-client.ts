import {once} from 'node:events';
import {io, type ManagerOptions, type Socket, type SocketOptions} from 'socket.io-client';
import type {WireError} from '../../protocol/errors';

export type Answer = {ok: boolean; error?: WireError} & Record<string, unknown>;

/** A connection without the client's own code, which keeps all that the server sends, in order. */
export class RawClient {
  /** Events by name and content; answers as `answer`. */
  readonly frames: [name: string, content: unknown][] = [];
  private readonly listeners = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.onAny((name: string, content: unknown) => this.keep(name, content));
  }

  static async connect(
    url: string,
    auth: object = {},
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): Promise<RawClient> {
    const client = RawClient.open(url, auth, options);
    await once(client.socket as never, 'connect');
    return client;
  }

  /** Resolves with why the server refuses the connection. */
  static async refused(
    url: string,
    auth: object = {},
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): Promise<WireError> {
    const {socket} = RawClient.open(url, auth, options);
    const [{data}] = (await once(socket as never, 'connect_error')) as [{data: WireError}];
    socket.disconnect();
    return data;
  }

  async call(event: string, request: unknown): Promise<Answer> {
    const answer = (await this.socket.timeout(10_000).emitWithAck(event, request)) as Answer;
    this.keep('answer', answer);
    return answer;
  }

  /** Resolves once an event with this name has come, with its content. */
  async event(name: string): Promise<unknown> {
    for (;;) {
      const found = this.frames.find(([each]) => each === name);
      if (found) return found[1];
      await new Promise<void>(resolve => this.listeners.add(resolve));
    }
  }

  /** All that has come so far, as text. */
  get received(): string {
    return JSON.stringify(this.frames);
  }

  names(): string[] {
    return this.frames.map(([name]) => name);
  }

  forget(): void {
    this.frames.length = 0;
  }

  close(): void {
    this.socket.disconnect();
  }

  private static open(
    url: string,
    auth: object,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): RawClient {
    return new RawClient(io(url, {
      path: '/realtime', auth: {protocol: 1, ...auth}, transports: ['websocket'],
      forceNew: true, reconnection: false, ...options,
    }));
  }

  private keep(name: string, content: unknown): void {
    this.frames.push([name, content]);
    for (const wake of this.listeners) wake();
    this.listeners.clear();
  }
}
