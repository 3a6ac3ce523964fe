import {randomBytes} from 'node:crypto';

/** Makes the tokens that a reader leaves in the log, under a prefix of this process's own. */
export class Marks {
  /** Logical messages of the database reach every consumer; the prefix tells whose they are. */
  readonly prefix = `live-entities:${randomBytes(6).toString('hex')}`;
  private count = 0;

  next(): string {
    return (++this.count).toString(36);
  }
}
