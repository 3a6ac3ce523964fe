import type {CRUDBlockedError} from '../../core/errors';

export interface MistakeLog {
  warn(message: string, error?: unknown): void;
}

/** A filter that refuses throws what it means; one that has a mistake throws these. */
export function reportMistake(logger: MistakeLog, entity: string, error: CRUDBlockedError): void {
  const {cause} = error;
  if (!(cause instanceof TypeError || cause instanceof ReferenceError)) return;
  logger.warn(`a post filter of ${entity} failed, and the row is withheld`, error);
}
