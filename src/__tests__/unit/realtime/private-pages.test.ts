import assert from 'node:assert/strict';
import {Context} from '@loopback/core';
import type {LiveCall} from '../../../components/realtime/live-call';
import {PageRequests, type PageRequestOptions} from '../../../components/realtime/page-requests';
import type {RealtimeEntity} from '../../../components/realtime/realtime-entity';
import {FilterGuard, type AccessFilter} from '../../../core/access';
import {LiveHub} from '../../../core/hub';
import type {EntityShape} from '../../../core/shape';

const TEXT = {kind: 'text', hidden: false, encrypted: false} as const;
const SHAPE = {
  name: 'Item',
  ids: ['id'],
  properties: {id: TEXT, category: TEXT, cost: TEXT},
} as unknown as EntityShape;
const ROW = {id: '1', category: 'c', cost: 'SECRET'};

/** Two views of one query. */
const VIEW = {
  paramFields: ['category'],
  transform: ({category}: {category: string}) => ({where: {category}, order: ['id ASC']}),
};

describe('pages that only one connection sees', () => {
  for (const order of [['manager', 'public'], ['public', 'manager']] as const) {
    it(`are rendered for the view by which they are asked for: ${order.join(', then ')}`, async () => {
      const show = givenPages(({query, resource}, next) => {
        if (query.view !== 'manager') delete resource!.cost;
        return next();
      });
      for (const view of order) {
        const cost = view === 'manager' ? {cost: 'SECRET'} : {};
        assert.deepEqual(await show(view), {id: '1', category: 'c', ...cost});
      }
    });
  }
});

function givenPages(post: AccessFilter): (view: string) => Promise<unknown> {
  const guard = new FilterGuard({filters: new Map([['Item', {pre: [], post: [post]}]])} as never);
  const image = {key: '1', values: ROW, raw: ROW};
  const hub = new LiveHub({
    shapes: new Map([['Item', SHAPE]]),
    source: {read: async () => ({rows: [image], sees: () => true}), judge: async () => []},
    publisher: {publish: () => undefined},
    logger: {warn: () => undefined},
    cacheDuration: 0,
    resumeRing: 10,
  } as never);
  hub.start();
  const entity = {
    name: 'Item',
    definition: {},
    shape: SHAPE,
    hub,
    view: () => VIEW,
    fieldsFor: () => undefined,
    revealed: () => ({...ROW}),
    project: (row: object) => row,
  } as unknown as RealtimeEntity;
  const pages = new PageRequests({
    entities: new Map([['Item', entity]]),
    guard,
    defaultPageSize: 10,
    maxPageSize: 100,
    maxOffset: 1000,
    viewParamsBytes: 1000,
    context: new Context(),
    logger: {warn: () => undefined},
  } as unknown as PageRequestOptions);
  const member = {join: () => undefined, leave: () => undefined, end: () => undefined};
  const session = {id: 's1/0', member, socket: undefined, principal: undefined};
  const call = {id: '1', session, context: new Context()} as unknown as LiveCall;
  return async view => {
    const ref = {type: 'Item', view, viewParams: {category: 'c'}};
    const subscription = await pages.subscriptionFor(call, entity, ref, 'subscribe');
    const reply = await hub.subscribe(member as never, subscription);
    return reply.kind === 'snapshot' ? reply.snapshot.rows[0] : undefined;
  };
}
