import {randomUUID} from 'node:crypto';
import {behaviourDefaults, type Behaviour} from '../behaviour';
import {DELETION, visibilityOf, type Visibility} from '../options';
import {value, type Assignments, type Condition} from '../plan';

/** A delete marks the row; reads and writes pass marked rows by unless they ask for them. */
export const softDeleteBehaviour: Behaviour = {
  ...behaviourDefaults('softDelete'),
  properties: {
    _isDeleted: {type: 'boolean'},
    _deletedBy: {type: 'string'},
    _deletedOn: {type: 'date'},
  },
  internal: {
    /** The same for all rows that one call has deleted, in whatever tables. */
    _deletionId: {type: 'string'},
  },
  kept: ['_isDeleted', '_deletedBy', '_deletedOn', '_deletionId'],

  insert: () => ({_isDeleted: value(false)}),

  change({kind, actor, now, options}): Assignments {
    switch (kind) {
      case 'delete':
        return marks(true, actor, now, options[DELETION] ?? randomUUID());
      case 'restore':
        return marks(false, null, null, null);
      case 'update':
      case 'replace':
      case 'purge':
        return {};
    }
  },

  condition({kind, options}) {
    switch (kind) {
      case 'delete':
        return visible(options.hard ? visibilityOf(options) : 'live');
      case 'restore':
      case 'purge':
        return visible('deleted');
      case 'update':
      case 'replace':
        return visible(visibilityOf(options));
    }
  },
};

function marks(
  isDeleted: boolean,
  by: string | null,
  on: Date | null,
  deletion: string | null,
): Assignments {
  return {
    _isDeleted: value(isDeleted),
    _deletedBy: value(by),
    _deletedOn: value(on),
    _deletionId: value(deletion),
  };
}

/** The condition under which a row is seen. A row without the mark, from older times, is live. */
export function visible(visibility: Visibility): Condition | undefined {
  switch (visibility) {
    case 'live':
      return {or: [{_isDeleted: false}, {_isDeleted: null}]};
    case 'deleted':
      return {_isDeleted: true};
    case 'all':
      return undefined;
  }
}
