import {createHash} from 'node:crypto';

/** What a token says of itself, in milliseconds since 1970. */
export interface TokenTimes {
  readonly issuedAt?: number;
  readonly expiresAt?: number;
}

/** Revocations that are remembered; a longer list becomes one rule for all older tokens. */
const REMEMBERED = 10_000;

/**
 * The tokens that this process takes no more: single ones, and all that a person had when they were
 * revoked. When the list grows too long its oldest entries give way to a rule that refuses every
 * token of their time: memory is bounded, and nothing that was revoked comes back.
 */
export class Revocations {
  private readonly tokens = new Map<string, number>();
  private readonly users = new Map<string, number>();
  private floor = 0;

  constructor(
    private readonly now: () => number = Date.now,
    private readonly remembered = REMEMBERED,
  ) {}

  revokeToken(token: string): void {
    this.note(this.tokens, digest(token));
  }

  revokeUser(userId: string): void {
    this.note(this.users, userId);
  }

  /**
   * Whether a token was revoked. One that does not say when it was issued can be revoked by itself
   * only: that of a person, its own service has to refuse.
   */
  has(userId: string, token: string, {issuedAt}: TokenTimes): boolean {
    if (this.tokens.has(digest(token))) return true;
    if (issuedAt === undefined) return false;
    return issuedAt <= Math.max(this.floor, this.users.get(userId) ?? 0);
  }

  private note(revoked: Map<string, number>, key: string): void {
    revoked.delete(key);
    revoked.set(key, this.now());
    if (revoked.size <= this.remembered) return;
    const [oldest, when] = revoked.entries().next().value!;
    revoked.delete(oldest);
    this.floor = Math.max(this.floor, when);
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
