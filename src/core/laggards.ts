import type {DeltaMessage} from '../protocol/messages';
import type {PageState} from '../protocol/page';

/** Flow control of one connection: what is sent faster than it is read must not pile up. */
export interface Outlet {
  /** Whether more waits to be sent than should. */
  isBehind(): boolean;
  /** Calls back once what waits has been sent; never if the connection ends before. */
  whenDrained(callback: () => void): void;
  /** Sends nothing more of this channel. */
  pause(channel: string): void;
  /** Sends what the connection has missed, if anything, and what comes from now on. */
  resume(channel: string, missed: DeltaMessage | undefined): void;
}

/** A page and its number in the channel. */
export interface Position {
  readonly seq: number;
  readonly page: PageState;
}

/**
 * The members of one channel whose connection is behind, each with the page that it has. They get
 * nothing until they have caught up, and then one delta from that page to the one that is now: what
 * it costs to keep them does not grow with what they miss.
 */
export class Laggards<M extends {readonly outlet?: Outlet}> {
  private readonly positions = new Map<M, Position>();

  constructor(
    private readonly channel: string,
    /** Makes the delta that leads from a page to the one that is now. */
    private readonly catchUp: (from: Position) => DeltaMessage | undefined,
  ) {}

  get size(): number {
    return this.positions.size;
  }

  /** Takes out who is behind, before anything else is sent; `now` is what the others have. */
  part(members: Iterable<M>, now: Position): void {
    for (const member of members) {
      const {outlet} = member;
      if (!outlet?.isBehind() || this.positions.has(member)) continue;
      this.positions.set(member, now);
      outlet.pause(this.channel);
      outlet.whenDrained(() => this.release(member));
    }
  }

  /** Brings a member up to what is now, where it was behind. */
  release(member: M): void {
    const from = this.positions.get(member);
    if (!from) return;
    this.positions.delete(member);
    member.outlet!.resume(this.channel, this.catchUp(from));
  }

  /** The member has left. */
  forget(member: M): void {
    this.positions.delete(member);
  }
}
