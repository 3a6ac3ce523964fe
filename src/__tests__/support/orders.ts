import {
  DefaultTransactionalRepository,
  Entity,
  belongsTo,
  hasMany,
  hasOne,
  model,
  property,
  type Getter,
  type HasManyRepositoryFactory,
  type HasOneRepositoryFactory,
  type juggler,
} from '@loopback/repository';
import type {Context} from '@loopback/core';
import type {BehaviourName} from '../../mixins/behaviour';
import {softDeletable, type SoftDeleteSettings} from '../../mixins/decorators';
import type {
  HistoricalRepository,
  SoftDeletableRepository,
  VersionedRepository,
} from '../../mixins/repository-methods';
import {DECORATORS, givenContext, migrate} from './behaviours';

export interface OrderRow extends Entity {
  id: string;
  code: string;
  parentId?: string | null;
  lines?: LineRow[];
  parts?: OrderRow[];
  _version?: string;
}

export interface LineRow extends Entity {
  id: string;
  orderRef: string;
  qty: number;
  _version?: string;
  order?: OrderRow;
}

type Repository<T extends Entity> = DefaultTransactionalRepository<T, string> &
  VersionedRepository<T, string> &
  SoftDeletableRepository<T, string> &
  HistoricalRepository<T, string> & {liveContext?: Context};

export type Orders = Repository<OrderRow> & {
  lines: HasManyRepositoryFactory<LineRow, string>;
};

export interface OrderBook {
  readonly orders: Orders;
  readonly lines: Repository<LineRow>;
  readonly notes: Repository<LineRow>;
}

export interface OrderSettings {
  readonly orders: readonly BehaviourName[];
  readonly lines: readonly BehaviourName[];
  readonly cascade?: SoftDeleteSettings['cascade'];
}

let books = 0;

/** Orders that have lines, one note, and orders that are parts of them; names of their own. */
export async function givenOrders(
  dataSource: juggler.DataSource,
  settings: OrderSettings,
): Promise<OrderBook> {
  const number = ++books;

  @model({name: `Note${number}`})
  class Note extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({type: 'string'}) orderRef!: string;
    @property({type: 'number'}) qty!: number;
  }

  @model({name: `Line${number}`})
  class Line extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @belongsTo(() => Order, {name: 'order'}, {type: 'string'}) orderRef!: string;
    @property({type: 'number'}) qty!: number;
  }

  @model({name: `Order${number}`})
  class Order extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({type: 'string'}) code!: string;
    @property({type: 'string'}) parentId?: string;
    @hasMany(() => Line, {keyTo: 'orderRef'}) lines?: Line[];
    @hasMany(() => Order, {keyTo: 'parentId'}) parts?: Order[];
    @hasOne(() => Note, {keyTo: 'orderRef'}) note?: Note;
  }

  const made: {lines?: unknown; notes?: unknown; orders?: unknown} = {};
  const getter = (name: keyof typeof made) => (async () => made[name]) as Getter<never>;

  class NoteRepository extends DefaultTransactionalRepository<Entity, string> {
    constructor(db: juggler.DataSource) {
      super(Note, db);
    }
  }
  class LineRepository extends DefaultTransactionalRepository<Entity, string> {
    constructor(db: juggler.DataSource) {
      super(Line, db);
      const order = this.createBelongsToAccessorFor('order', getter('orders'));
      this.registerInclusionResolver('order', order.inclusionResolver);
    }
  }
  class OrderRepository extends DefaultTransactionalRepository<Entity, string> {
    readonly lines: HasManyRepositoryFactory<never, string>;
    readonly parts: HasManyRepositoryFactory<never, string>;
    readonly note: HasOneRepositoryFactory<never, string>;

    constructor(db: juggler.DataSource) {
      super(Order, db);
      this.lines = this.createHasManyRepositoryFactoryFor('lines', getter('lines'));
      this.registerInclusionResolver('lines', this.lines.inclusionResolver);
      this.parts = this.createHasManyRepositoryFactoryFor('parts', getter('orders'));
      this.registerInclusionResolver('parts', this.parts.inclusionResolver);
      this.note = this.createHasOneRepositoryFactoryFor('note', getter('notes'));
    }
  }
  for (const name of settings.orders) DECORATORS[name]()(OrderRepository);
  if (settings.cascade) softDeletable({cascade: settings.cascade})(OrderRepository);
  for (const name of settings.lines) DECORATORS[name]()(LineRepository);
  for (const name of settings.lines) DECORATORS[name]()(NoteRepository);
  made.orders = new OrderRepository(dataSource);
  made.lines = new LineRepository(dataSource);
  made.notes = new NoteRepository(dataSource);
  const book = made as unknown as OrderBook;
  const context = givenContext();
  for (const repository of [book.orders, book.lines, book.notes]) repository.liveContext = context;
  await migrate(dataSource);
  return book;
}
