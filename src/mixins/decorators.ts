import type {BehaviourName} from './behaviour';
import {recordBehaviour, recordCascade} from './behaviours-of';
import {installLayer} from './install-layer';
import type {RepositoryClass} from './layer';

/**
 * Class decorators that give a repository its behaviours. Their order never matters, any subset
 * works, and twice is once.
 *
 * @example
 * ```ts
 * @versioned() @audited() @softDeletable() @historical() @encrypted()
 * export class ProductRepository extends DefaultTransactionalRepository<Product, string> {}
 * ```
 */
export type BehaviourDecorator = <T extends RepositoryClass>(target: T) => void;

/** Writes must name the version that they change; a stale one is refused. */
export const versioned = (): BehaviourDecorator => decorator('version');

/** Records who created and who last changed a row, and when. */
export const audited = (): BehaviourDecorator => decorator('audit');

/** How soft deletes of a repository work. */
export interface SoftDeleteSettings {
  /**
   * Relations (`hasMany`, `hasOne`) whose rows are deleted, restored and purged along with a row.
   * A restore brings back what that deletion took away, not what was deleted before it.
   */
  readonly cascade?: readonly string[];
}

/**
 * Deletes mark rows instead of removing them; marked rows can be restored.
 *
 * @example
 * ```ts
 * @softDeletable({cascade: ['offers']})
 * export class ProductRepository extends DefaultTransactionalRepository<Product, string> {}
 * ```
 */
export const softDeletable = ({cascade}: SoftDeleteSettings = {}): BehaviourDecorator => target => {
  addBehaviour(target, 'softDelete');
  if (cascade) recordCascade(target, cascade);
};

/** Keeps every state that a row has had, and what ended it. */
export const historical = (): BehaviourDecorator => decorator('history');

/** Encrypts the properties with `encrypt: true` in the database. */
export const encrypted = (): BehaviourDecorator => decorator('crypto');

function decorator(name: BehaviourName): BehaviourDecorator {
  return target => addBehaviour(target, name);
}

/** Gives one behaviour to a repository class. */
export function addBehaviour(target: RepositoryClass, name: BehaviourName): void {
  recordBehaviour(target, name);
  installLayer(target);
}
