import {behaviourDefaults, type Behaviour} from '../behaviour';
import {value} from '../plan';

/** Who created and who last changed a row, and when. What a client sends for these is ignored. */
export const auditBehaviour: Behaviour = {
  ...behaviourDefaults('audit'),
  properties: {
    _type: {type: 'string'},
    _createdBy: {type: 'string'},
    _createdOn: {type: 'date'},
    _modifiedBy: {type: 'string'},
    _modifiedOn: {type: 'date'},
  },
  kept: ['_type', '_createdBy', '_createdOn'],

  insert: (_input, {entityName, actor, now}) => ({
    _type: value(entityName),
    _createdBy: value(actor),
    _createdOn: value(now),
    _modifiedBy: value(actor),
    _modifiedOn: value(now),
  }),

  change: ({actor, now}) => ({_modifiedBy: value(actor), _modifiedOn: value(now)}),
};
