import {Context} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  type Options,
} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../keys';
import type {BehaviourName} from '../../mixins/behaviour';
import {
  audited,
  encrypted,
  historical,
  softDeletable,
  versioned,
  type BehaviourDecorator,
} from '../../mixins/decorators';
import type {
  HistoricalRepository,
  SoftDeletableRepository,
  VersionedRepository,
} from '../../mixins/repository-methods';
import type {AuditedEntity, SoftDeletableEntity, VersionedEntity} from '../../mixins/model-mixins';
import type {TestDatabase} from './databases';

export const DECORATORS: Record<BehaviourName, () => BehaviourDecorator> = {
  version: versioned,
  audit: audited,
  softDelete: softDeletable,
  history: historical,
  crypto: encrypted,
};

export const ALL = Object.keys(DECORATORS) as BehaviourName[];

/** The empty one included. */
export function subsetsOf<T>(all: readonly T[]): T[][] {
  return Array.from({length: 2 ** all.length}, (_, bits) => all.filter((_x, i) => bits & (1 << i)));
}

export interface Item extends Entity, VersionedEntity, AuditedEntity, SoftDeletableEntity {
  id: string;
  name: string;
  qty?: number | null;
  secret?: string | null;
  tags?: string[];
}

export type ItemRepository = DefaultTransactionalRepository<Item, string> &
  VersionedRepository<Item, string> &
  SoftDeletableRepository<Item, string> &
  HistoricalRepository<Item, string> & {liveContext?: Context};

/** A number is an integer in SQL unless the property says otherwise. */
const DOUBLE = {postgresql: {dataType: 'double precision'}, mysql: {dataType: 'double'}};

let models = 0;
let shared: Context | undefined;

/** Deriving keys is slow on purpose, so tests that need nothing special share them. */
function sharedContext(): Context {
  return (shared ??= givenContext());
}

/** A repository, by default of a model of its own, with the behaviours in the order given. */
export async function givenItems(
  dataSource: juggler.DataSource,
  behaviours: readonly BehaviourName[],
  context = sharedContext(),
  ItemModel = givenItemModel(`Item${++models}`),
): Promise<ItemRepository> {
  class Items extends DefaultTransactionalRepository<Item, string> {
    constructor(db: juggler.DataSource) {
      super(ItemModel as never, db);
    }
  }
  for (const name of behaviours) DECORATORS[name]()(Items);
  const repository = new Items(dataSource) as ItemRepository;
  repository.liveContext = context;
  await migrate(dataSource);
  return repository;
}

export function givenItemModel(name: string) {
  @model({name})
  class ItemModel extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({type: 'string', required: true}) name!: string;
    @property({type: 'number', ...DOUBLE}) qty?: number;
    @property({type: 'string', encrypt: true}) secret?: string;
    @property({type: 'array', itemType: 'string', postgresql: {dataType: 'jsonb'}}) tags?: string[];
  }
  return ItemModel;
}

/** The tables of the models that were defined last. */
export async function migrate(dataSource: juggler.DataSource): Promise<void> {
  const defined = Object.keys((dataSource as unknown as {models: object}).models);
  const migrated = migratedModels.get(dataSource) ?? new Set<string>();
  migratedModels.set(dataSource, migrated);
  const fresh = defined.filter(name => !migrated.has(name));
  fresh.forEach(name => migrated.add(name));
  if (fresh.length) await dataSource.automigrate(fresh);
}

const migratedModels = new WeakMap<object, Set<string>>();

export function givenContext(): Context {
  const context = new Context();
  context.configure(LiveEntitiesBindings.CRYPTO).to({
    keys: [{id: 'k1', secret: 'correct horse battery staple correct horse'}],
    current: 'k1',
  });
  return context;
}

export function givenMemory(): juggler.DataSource {
  return new juggler.DataSource({name: 'memory', connector: 'memory'});
}

export function givenPostgresSource(database: TestDatabase, settings: Options = {}) {
  return new juggler.DataSource({
    name: 'db',
    connector: 'postgresql',
    onError: 'ignore',
    ...database.config,
    ...settings,
  });
}
