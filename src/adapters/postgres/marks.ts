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

const ANEW = 'anew:';

/** A message by which the feed tells itself, through the log, that a table is to be read anew. */
export function readAnewMessage(entity: string): string {
  return ANEW + entity;
}

/** The entity of a {@link readAnewMessage}; undefined for a mark. */
export function entityToReadAnew(message: string): string | undefined {
  return message.startsWith(ANEW) ? message.slice(ANEW.length) : undefined;
}
