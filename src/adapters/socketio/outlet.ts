import type {Socket} from 'socket.io';
import type {Outlet} from '../../core/laggards';
import type {
  ClientToServerEvents,
  DeltaMessage,
  ServerToClientEvents,
} from '../../protocol/messages';

type LiveSocket = Socket<ClientToServerEvents, ServerToClientEvents>;

/** How often it is looked whether those who are behind have caught up. */
const LOOK_MS = 50;

/** Room of a channel's members. */
export function roomOf(channel: string): string {
  return `live:${channel}`;
}

/** Flow control of one socket, by the bytes that wait in its buffer. */
export class SocketOutlet implements Outlet {
  private readonly waiting: (() => void)[] = [];
  /** The socket's buffer that was counted last, how many of its packets, and their bytes. */
  private counted: readonly unknown[] | undefined;
  private packets = 0;
  private bytes = 0;

  /**
   * @param most bytes that may wait before the socket counts as behind
   * @param watch called when there is something to look after
   */
  constructor(
    private readonly socket: LiveSocket,
    private readonly most: number,
    private readonly watch: (outlet: SocketOutlet) => void,
  ) {}

  isBehind(): boolean {
    return this.waiting.length > 0 || this.bufferedBytes() > this.most;
  }

  whenDrained(callback: () => void): void {
    this.waiting.push(callback);
    this.watch(this);
  }

  pause(channel: string): void {
    void this.socket.leave(roomOf(channel));
  }

  resume(channel: string, missed: DeltaMessage | undefined): void {
    if (missed) this.socket.emit('delta', missed);
    void this.socket.join(roomOf(channel));
  }

  /** Lets channel after channel catch up while there is room; true when none waits any more. */
  release(): boolean {
    if (!this.socket.connected) this.waiting.length = 0;
    const {conn} = this.socket;
    const isDrained = conn['writeBuffer'].length === 0 && conn.transport.writable;
    if (!isDrained) return this.waiting.length === 0;
    while (this.waiting.length > 0 && this.bufferedBytes() <= this.most) this.waiting.shift()!();
    return this.waiting.length === 0;
  }

  /** What has been counted once is not counted again: it is asked before each delta. */
  bufferedBytes(): number {
    const buffer = this.socket.conn['writeBuffer'];
    if (this.counted !== buffer || this.packets > buffer.length) {
      this.counted = buffer;
      this.packets = 0;
      this.bytes = 0;
    }
    for (; this.packets < buffer.length; this.packets++) {
      const {data} = buffer[this.packets];
      if (typeof data === 'string' || Buffer.isBuffer(data)) this.bytes += data.length;
    }
    return this.bytes;
  }
}

/** Looks after the sockets that are behind, as long as there are any. */
export class Drains {
  private readonly outlets = new Set<SocketOutlet>();
  private timer: NodeJS.Timeout | undefined;

  readonly add = (outlet: SocketOutlet): void => {
    this.outlets.add(outlet);
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  };

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.outlets.clear();
  }

  private look(): void {
    for (const outlet of this.outlets) if (outlet.release()) this.outlets.delete(outlet);
    if (this.outlets.size === 0) this.stop();
  }
}
