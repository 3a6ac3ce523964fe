import type {BehaviourName} from './behaviour';
import {recordBehaviour} from './behaviours-of';
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

/** Deletes mark rows instead of removing them; marked rows can be restored. */
export const softDeletable = (): BehaviourDecorator => decorator('softDelete');

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
