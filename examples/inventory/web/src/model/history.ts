import type {Product, ProductField} from './entities';
import {productFields, same} from './entities';

/** A state that the product has had, and the write that ended it, as `GET …/history` answers. */
export interface Revision {
  readonly entity: Product;
  readonly _modelId: string;
  readonly _revision: number;
  readonly _validFrom: string;
  readonly _validTo: string;
  readonly _operation: 'update' | 'delete' | 'restore' | 'revert';
  readonly _by: string;
  readonly _reason?: string | null;
}

export interface FieldChange {
  readonly field: ProductField;
  readonly from: Product[ProductField];
  readonly to: Product[ProductField];
}

/** One thing that somebody did to the product. */
export interface TimelineEntry {
  readonly key: string;
  readonly what: 'create' | Revision['_operation'];
  readonly who: string;
  readonly when: string;
  readonly reason?: string;
  readonly changes: readonly FieldChange[];
}

/**
 * Turns revisions (states that were) into what happened, newest first: what a write changed is the
 * difference between the state that it ended and the next one, or `current` for the last.
 *
 * @param newestFirst - revisions in descending order, without gaps
 * @param current - the product now
 * @param complete - whether the first revision is among them; the creation is then the last entry
 */
export function timeline(
  newestFirst: readonly Revision[],
  current: Product,
  complete: boolean,
): TimelineEntry[] {
  const entries = newestFirst.map((revision, index): TimelineEntry => {
    const next = index === 0 ? current : newestFirst[index - 1].entity;
    return {
      key: `r${revision._revision}`,
      what: revision._operation,
      who: revision._by,
      when: revision._validTo,
      reason: revision._reason ?? undefined,
      changes: changesBetween(revision.entity, next),
    };
  });
  return complete ? [...entries, ...creation(newestFirst, current)] : entries;
}

function creation(newestFirst: readonly Revision[], current: Product): TimelineEntry[] {
  const first = newestFirst[newestFirst.length - 1]?.entity ?? current;
  const when = first._createdOn ?? current._createdOn;
  if (!when) return [];
  const who = first._createdBy ?? current._createdBy ?? 'system';
  return [{key: 'created', what: 'create', who, when, changes: []}];
}

/** The editable fields in which two states differ. A field that neither shows is no change. */
export function changesBetween(before: Product, after: Product): FieldChange[] {
  return productFields
    .filter(field => !same(field, before[field], after[field]))
    .map(field => ({field, from: before[field], to: after[field]}));
}
