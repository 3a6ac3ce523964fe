import {VersionConflictError, type LiveModel} from 'loopback4-live-entities/client';
import {shallowRef, type ShallowRef} from 'vue';
import {explain} from '../api/errors';
import {same, type Product, type ProductField} from '../model/entities';
import {fieldLabels} from '../model/format';
import {toast} from '../ui/toasts';

type Value = Product[ProductField];

/** What a person saw when they began to edit. */
export interface Base {
  readonly value: Value;
  readonly version: string | null;
}

/** Two people gave one field different values: which one is to stay? */
export interface Conflict {
  readonly field: ProductField;
  readonly before: Value;
  readonly mine: Value;
  readonly theirs: Product;
  /** Another program changed it in the database, leaving no name. */
  readonly unsigned: boolean;
}

const attempts = 5;

/**
 * Saves edits of one product, each based on the version that the person saw when they began. The
 * server refuses it when that is no longer the current one. Where the others changed other fields
 * only, the edit is saved on top of theirs; where they changed the same field, the person decides.
 *
 * A program that writes to the database without a new version is not refused over, but the page
 * has seen its change, and asks in the same way.
 */
export function useEdits(product: ShallowRef<LiveModel<Product> | undefined>) {
  const conflict = shallowRef<Conflict>();

  async function save(field: ProductField, mine: Value, base: Base): Promise<void> {
    const now = product.value?.value;
    if (now?._version === base.version && !same(field, now[field], base.value)) {
      if (!same(field, now[field], mine)) conflict.value = conflictOf(field, mine, base, now, true);
      return;
    }
    let version = base.version;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await product.value!.update({[field]: mine}, {version});
        return;
      } catch (error) {
        const theirs = currentOf(error);
        if (!theirs || attempt === attempts) throw error;
        if (same(field, theirs[field], mine)) return;
        if (!same(field, theirs[field], base.value)) {
          conflict.value = conflictOf(field, mine, base, theirs, false);
          return;
        }
        version = theirs._version;
      }
    }
  }

  /** Writes the person's value over theirs; whoever was faster once more is asked about again. */
  async function keepMine(): Promise<void> {
    const {field, mine, theirs} = conflict.value!;
    conflict.value = undefined;
    try {
      await save(field, mine, {value: theirs[field], version: theirs._version});
      if (!conflict.value) toast('done', `${fieldLabels[field]}: your value was saved.`);
    } catch (error) {
      toast('problem', explain(error));
    }
  }

  function takeTheirs(): void {
    conflict.value = undefined;
  }

  return {conflict, save, keepMine, takeTheirs};
}

function conflictOf(
  field: ProductField,
  mine: Value,
  base: Base,
  theirs: Product,
  unsigned: boolean,
): Conflict {
  return {field, before: base.value, mine, theirs, unsigned};
}

function currentOf(error: unknown): Product | undefined {
  return error instanceof VersionConflictError ? (error.current as Product | undefined) : undefined;
}
