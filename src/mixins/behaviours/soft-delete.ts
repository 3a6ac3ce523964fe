import {behaviourDefaults, type Behaviour} from '../behaviour';
import {visibilityOf, type Visibility} from '../options';
import {value, type Assignments, type Condition} from '../plan';

/** A delete marks the row; reads and writes pass marked rows by unless they ask for them. */
export const softDeleteBehaviour: Behaviour = {
  ...behaviourDefaults('softDelete'),
  properties: {
    _isDeleted: {type: 'boolean'},
    _deletedBy: {type: 'string'},
    _deletedOn: {type: 'date'},
  },
  kept: ['_isDeleted', '_deletedBy', '_deletedOn'],

  insert: () => ({_isDeleted: value(false)}),

  change({kind, actor, now}): Assignments {
    switch (kind) {
      case 'delete':
        return {_isDeleted: value(true), _deletedBy: value(actor), _deletedOn: value(now)};
      case 'restore':
        return {_isDeleted: value(false), _deletedBy: value(null), _deletedOn: value(null)};
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
