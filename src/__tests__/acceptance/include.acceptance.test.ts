import {inject} from '@loopback/core';
import {
  belongsTo,
  DefaultTransactionalRepository,
  Entity,
  hasMany,
  juggler,
  model,
  property,
  RepositoryMixin,
  type BelongsToAccessor,
  type Getter,
  type HasManyRepositoryFactory,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import assert from 'node:assert/strict';
import {LiveClient, type LiveCollection} from '../../client';
import {
  encrypted,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  realtime,
  SoftDeletable,
  softDeletable,
} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {until} from '../support/until';

@model()
class Line extends SoftDeletable(Entity) {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string'}) what: string;
  @property({type: 'string', encrypt: true}) note?: string;
  @property({type: 'number', hidden: true}) cost?: number;
  @belongsTo(() => Bill) billId: string;
}

@model()
class Bill extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string'}) title: string;
  @hasMany(() => Line) lines?: Line[];
}

@realtime<Line>({
  views: {
    withBill: {transform: () => ({order: ['id ASC'], include: [{relation: 'bill'}]})},
  },
  filters: {
    post: (req, next) => {
      if (req.resource?.what === 'secret') throw new Error('not for you');
      return next();
    },
  },
  audience: () => 'all',
})
@softDeletable() @encrypted()
class LineRepository extends DefaultTransactionalRepository<Line, string> {
  readonly bill: BelongsToAccessor<Bill, string>;
  constructor(
    @inject('datasources.db') dataSource: juggler.DataSource,
    @inject.getter('repositories.BillRepository') bills: Getter<BillRepository>,
  ) {
    super(Line, dataSource);
    this.bill = this.createBelongsToAccessorFor('bill', bills);
    this.registerInclusionResolver('bill', this.bill.inclusionResolver);
  }
}

@realtime<Bill>({
  views: {
    withLines: {
      transform: () => ({
        order: ['title ASC'],
        include: [{relation: 'lines', scope: {order: ['what ASC']}}],
      }),
    },
  },
})
class BillRepository extends DefaultTransactionalRepository<Bill, string> {
  readonly lines: HasManyRepositoryFactory<Line, string>;
  constructor(
    @inject('datasources.db') dataSource: juggler.DataSource,
    @inject.getter('repositories.LineRepository') lines: Getter<LineRepository>,
  ) {
    super(Bill, dataSource);
    this.lines = this.createHasManyRepositoryFactoryFor('lines', lines);
    this.registerInclusionResolver('lines', this.lines.inclusionResolver);
  }
}

class Bills extends RepositoryMixin(RestApplication) {}

describe('a view that includes related rows', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let app: Bills;
  let live: LiveClient;
  let bills: BillRepository;
  let lines: LineRepository;
  let withLines: LiveCollection<Bill>;

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('include');
    app = await givenApplication(database);
    bills = await app.getRepository(BillRepository);
    lines = await app.getRepository(LineRepository);
    await bills.createAll([{id: 'b1', title: 'First'}, {id: 'b2', title: 'Second'}]);
    await lines.create({id: 'l1', what: 'Nails', note: 'from Ada', cost: 3, billId: 'b1'});
    live = new LiveClient(app.restServer.url!, {path: '/realtime'});
    withLines = live.collection<Bill>({type: 'Bill', view: 'withLines', pageSize: 10});
    await withLines.ready;
  });
  after(async () => {
    live?.close();
    await app?.stop();
    await app?.getSync<juggler.DataSource>('datasources.db').disconnect();
    await database?.drop();
  });

  it('shows them as the repository does, in plain text and without what is hidden', async () => {
    const [first, second] = withLines.value;
    assert.deepEqual(first.lines?.map(({id, what, note}) => ({id, what, note})), [
      {id: 'l1', what: 'Nails', note: 'from Ada'},
    ]);
    assert.equal('cost' in first.lines![0], false);
    assert.equal(second.lines, undefined);
    assert.deepEqual(await shown(), await expected());
  });

  it('follows a row that comes, changes, moves to another parent, and goes', async () => {
    await lines.create({id: 'l2', what: 'Glue', billId: 'b1'});
    await until(withLines, () => whats('b1') === 'Glue,Nails');
    await database.query(`UPDATE line SET what = 'Zinc' WHERE id = 'l2'`);
    await until(withLines, () => whats('b1') === 'Nails,Zinc');
    await lines.updateById('l2', {billId: 'b2'});
    await until(withLines, () => whats('b1') === 'Nails' && whats('b2') === 'Zinc');
    assert.deepEqual(await shown(), await expected());
    await lines.deleteById('l2', {hard: true});
    await until(withLines, () => whats('b2') === '');
    assert.deepEqual(await shown(), await expected());
  });

  it('has no soft-deleted row, and has it again once it is restored', async () => {
    await lines.deleteById('l1');
    await until(withLines, () => whats('b1') === '');
    await (lines as unknown as {restoreById(id: string): Promise<void>}).restoreById('l1');
    await until(withLines, () => whats('b1') === 'Nails');
    assert.deepEqual(await shown(), await expected());
  });

  it('brings those of a row that comes to the page, in the same message', async () => {
    const seen: string[] = [];
    const stop = withLines.subscribe(() => void seen.push(whats('b3')));
    const transaction = await bills.beginTransaction();
    await bills.create({id: 'b3', title: 'Third'}, {transaction});
    await lines.create({id: 'l3', what: 'Rope', billId: 'b3'}, {transaction});
    await transaction.commit();
    await until(withLines, () => whats('b3') === 'Rope');
    stop();
    assert.deepEqual(seen.filter(text => text !== 'no bill'), ['Rope']);
  });

  it('leaves out what the filters of the included entity refuse', async () => {
    await lines.create({id: 'l4', what: 'secret', billId: 'b2'});
    await lines.create({id: 'l5', what: 'Tape', billId: 'b2'});
    await until(withLines, () => whats('b2') === 'Tape');
  });

  it('follows a parent that many rows belong to', async () => {
    const withBill = live.collection<Line & {bill?: Bill}>({type: 'Line', view: 'withBill'});
    await withBill.ready;
    await bills.updateById('b1', {title: 'The first'});
    await until(withBill, () => withBill.value.some(({bill}) => bill?.title === 'The first'));
    withBill.close();
  });

  it('starts anew after the table of the included rows was emptied', async () => {
    await database.query('TRUNCATE line');
    await until(withLines, () => withLines.value.every(({lines: all}) => all === undefined));
  });

  function whats(id: string): string {
    const bill = withLines.value.find(each => each.id === id);
    return bill ? (bill.lines ?? []).map(({what}) => what).join() : 'no bill';
  }

  async function shown(): Promise<unknown> {
    return JSON.parse(JSON.stringify(withLines.value));
  }

  async function expected(): Promise<unknown> {
    const include = [{relation: 'lines', scope: {order: ['what ASC']}}];
    const found = await bills.find({order: ['title ASC'], include});
    return JSON.parse(JSON.stringify(found));
  }
});

async function givenApplication(database: TestDatabase): Promise<Bills> {
  const app = new Bills({rest: {port: 0, host: '127.0.0.1'}});
  app.dataSource(new juggler.DataSource({
    name: 'db', connector: 'postgresql', ...database.config,
  }), 'db');
  app.component(LiveEntitiesComponent);
  const keys = [{id: 'k1', secret: Buffer.alloc(32, 7).toString('base64')}];
  app.configure(LiveEntitiesBindings.CRYPTO).to({keys, current: 'k1'});
  app.configure(LiveEntitiesBindings.REALTIME).to({
    logger: {warn: () => undefined, error: () => undefined, info: () => undefined},
  });
  app.repository(BillRepository);
  app.repository(LineRepository);
  await app.migrateSchema();
  await app.start();
  return app;
}
