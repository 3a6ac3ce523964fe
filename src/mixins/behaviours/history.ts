import {behaviourDefaults, type Behaviour, type ChangeKind} from '../behaviour';
import type {RevisionOperation} from '../plan';

/**
 * Every state that a row had and has no more is kept. The row itself carries the number of its
 * present state and when that began, because only the row's own lock orders concurrent writers.
 */
export const historyBehaviour: Behaviour = {
  ...behaviourDefaults('history'),
  internal: {
    _revision: {type: 'number'},
    _validFrom: {type: 'date'},
  },

  insert: () => ({_revision: {kind: 'firstRevision'}, _validFrom: {kind: 'stateBegins'}}),
  change: () => ({_revision: {kind: 'nextRevision'}, _validFrom: {kind: 'stateBegins'}}),

  revision: ({kind, operation, actor, options}) => ({
    operation: operation ?? operationOf(kind),
    by: actor,
    onBehalfOf: options.onBehalfOf,
    reason: options.reason,
    requestId: options.requestId,
  }),
};

function operationOf(kind: ChangeKind): RevisionOperation {
  switch (kind) {
    case 'update':
    case 'replace':
      return 'update';
    case 'delete':
    case 'purge':
      return 'delete';
    case 'restore':
      return 'restore';
  }
}
