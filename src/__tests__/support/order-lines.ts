import type {ViewQuery} from '../../core/query';
import type {EntityShape} from '../../core/shape';

const TEXT = {kind: 'text', hidden: false, encrypted: false} as const;
const EVERYTHING = {kind: 'and', parts: []} as const;
const BY_ID = [{property: 'id', descending: false}];

/** Orders, and the lines that belong to them. */
export const ORDER: EntityShape = {name: 'Order', ids: ['id'], properties: {id: TEXT}};
export const LINE: EntityShape = {
  name: 'Line', ids: ['id'], properties: {id: TEXT, orderId: TEXT},
};

/** All orders by id, each with its lines. */
export const ORDERS: ViewQuery = {
  entity: 'Order', condition: EVERYTHING, order: BY_ID,
  includes: [{
    relation: 'lines', kind: 'many', from: 'id', to: 'orderId', fields: undefined,
    query: {entity: 'Line', condition: EVERYTHING, order: BY_ID},
  }],
};
