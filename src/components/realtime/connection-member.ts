import type {Connection} from '../../adapters/socketio/connection';
import type {Member} from '../../core/hub';
import type {Outlet} from '../../core/laggards';

/** A channel that the connection is in. */
export interface Joined {
  readonly epoch: string;
  readonly rows: number;
  /** Subscriptions that have joined it since, without those that were refused afterwards. */
  calls: number;
}

/** The connection that members are of, as they see it. */
export interface MemberOwner {
  readonly connection: Connection;
  /** Throws when nothing is to be joined by this member any more. */
  checkCurrent(member: ConnectionMember): void;
  /** One of its channels is about to end. */
  ending(channel: string, epoch: string, error: Error): void;
}

/**
 * Whom the hub knows: one person on one connection. Another person gets another member.
 *
 * What is joined is noted at that very moment, whatever becomes of the call: nothing may stay
 * joined for a person who has gone, nor be joined for them any more.
 */
export class ConnectionMember implements Member {
  readonly joined = new Map<string, Joined>();

  constructor(private readonly owner: MemberOwner) {}

  get outlet(): Outlet | undefined {
    return this.owner.connection.outlet;
  }

  join(channel: string, epoch: string, rows: number): void {
    this.owner.checkCurrent(this);
    const known = this.joined.get(channel);
    if (known) known.calls++;
    else this.joined.set(channel, {epoch, rows, calls: 1});
    this.owner.connection.join(channel);
  }

  leave(channel: string): void {
    this.joined.delete(channel);
    this.owner.connection.leave(channel);
  }

  end(channel: string, error: Error): void {
    const {epoch} = this.joined.get(channel)!;
    this.joined.delete(channel);
    this.owner.ending(channel, epoch, error);
    this.owner.connection.end(channel, error);
  }
}
