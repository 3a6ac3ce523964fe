import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {inspect} from 'node:util';
import {juggler} from '@loopback/repository';
import type {Change} from '../../core/change';
import {createPostgresLive} from '../../adapters/postgres/live';
import {ALL, givenPostgresSource} from '../support/behaviours';
import {givenPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {SILENT} from '../support/live-database';
import {givenPeople, givenPersonModel, keys, type PersonRepository} from '../support/people';
import {Recorder} from '../support/recorder';

/** Each of them is nowhere but in what an encrypted property holds. */
const SECRETS = {
  email: 'whisper.one@example.org',
  ssn: 'whisper two',
  diary: 'whisper three, \'quoted\' "twice"',
  profile: {note: 'whisper four'},
  tags: ['whisper five'],
  age: 77001199,
  born: new Date('1901-02-03T04:05:06.789Z'),
};
const PLAINTEXT = /whisper|77001199|1901-02-03/i;

/** The copy of `debug` that LoopBack's connectors print with. */
const createDebug = createRequire(require.resolve('loopback-connector-postgresql'))('debug') as {
  log: (...args: unknown[]) => void;
  enable(names: string): void;
  disable(): void;
};

describe('the plaintext of encrypted properties', function () {
  this.timeout(60_000);
  let server: Postgres18;
  let database: TestDatabase;
  let dataSource: juggler.DataSource;
  let people: PersonRepository;
  const printed: string[] = [];
  const log = createDebug.log;

  before(async () => {
    createDebug.log = (...args) => void printed.push(args.map(each => inspect(each)).join(' '));
    createDebug.enable('loopback:*,-loopback:context*,-loopback:core*');
    server = await givenPostgres18();
    database = await server.createDatabase({name: 'secrecy', logStatements: true});
    await database.query(`ALTER DATABASE "${database.config.database}"
      SET log_parameter_max_length_on_error = -1`);
    dataSource = givenPostgresSource(database);
    people = await givenPeople(dataSource, {behaviours: ALL, entity: ENTITY});
  });
  after(async () => {
    createDebug.disable();
    createDebug.log = log;
    await dataSource?.disconnect();
    await database?.drop();
  });

  it('is in no table, index, log, event, error or debug output, whatever is done', async () => {
    const live = await createPostgresLive({
      dataSource: dataSource as never,
      models: [people.modelClass as never],
      logger: SILENT,
    });
    const recorder = new Recorder();
    await live.feed.start(live.shapes, recorder);
    const errors = await everything();
    await people.create({id: 'last', name: 'last'});
    await recorder.upTo('last');
    await live.close();

    const table = people.entityClass.modelName.toLowerCase();
    for (const name of [table, `${table}history`]) {
      const rows = await database.query(`SELECT to_jsonb(t)::text AS row FROM "${name}" AS t`);
      assert.ok(rows.length > 0);
      none(rows, `table ${name}`);
    }
    const stored = await database.query(`SELECT * FROM "${table}"`);
    assert.ok(stored.some(row => /^k2\./.test(String(row._ssnindex))), 'there are indexes');
    const changes = recorder.transactions.flatMap((t): readonly Change[] => t.changes);
    assert.ok(changes.length > 5);
    none(changes, 'the events of the feed');
    const entries = await server.readLog();
    assert.ok(entries.some(entry => entry.includes('INSERT INTO')));
    none(entries, "the server's log");
    assert.ok(printed.some(line => /loopback:connector:postgresql/.test(line)), 'debug is on');
    none(printed, 'debug output');
    assert.equal(errors.length, 8);
    none(errors.map(error => `${inspect(error, {depth: 9, showHidden: true})}`), 'errors');
  });

  /** Every way in which a value goes to the database or fails to. Answers the errors. */
  async function everything(): Promise<Error[]> {
    const {id, _version} = await people.create({id: 'a', name: 'one', ...SECRETS});
    await people.createAll([{id: 'b', ssn: SECRETS.ssn}, {id: 'c', diary: SECRETS.diary}]);
    await people.updateById(id, {ssn: `${SECRETS.ssn}!`, _version});
    await people.find({where: {or: [{ssn: SECRETS.ssn}, {age: {inq: [SECRETS.age]}}]}});
    await people.count({email: SECRETS.email});
    await people.updateAll({name: 'two'}, {born: SECRETS.born});
    await people.findAsOf(new Date(), {where: {ssn: SECRETS.ssn}});
    await people.deleteAll({ssn: SECRETS.ssn});
    await people.restoreAll({ssn: SECRETS.ssn});
    const rotated = await givenPeople(dataSource, {
      behaviours: ALL, entity: ENTITY, config: keys('k1', 'k2'),
    });
    await rotated.create({id: 'd', email: `${SECRETS.email}.uk`, ssn: SECRETS.ssn});
    await rotated.reencrypt({batchSize: 2});
    const like = {where: {ssn: {like: 'whisper%'}}} as never;
    const swapped = `UPDATE "${people.entityClass.modelName.toLowerCase()}" SET diary =
      (SELECT diary FROM "${people.entityClass.modelName.toLowerCase()}" WHERE id = 'a')
      WHERE id = 'c'`;
    const failures = [
      () => rotated.create({id: 'x', email: SECRETS.email}),
      () => people.create({id: 'a', ...SECRETS, email: 'other'}),
      () => people.createAll([{id: 'x', ...SECRETS}, {id: 'x', ...SECRETS}]),
      () => people.create({id: 'x', name: 'nul \0', ssn: SECRETS.ssn}),
      () => people.create({id: 'x', diary: (() => SECRETS.diary) as never}),
      () => people.find(like),
      () => people.updateAll({ssn: SECRETS.ssn}, {name: 'one'}),
      async () => {
        await database.query(swapped);
        return rotated.findById('c');
      },
    ];
    return Promise.all(failures.map(fail => fail().then(
      () => assert.fail(`it did not fail: ${String(fail)}`),
      (error: Error) => error,
    )));
  }

  function none(texts: readonly unknown[], where: string): void {
    const found = texts.map(text => JSON.stringify(text)).find(text => PLAINTEXT.test(text));
    assert.equal(found, undefined, `plaintext in ${where}`);
  }
});

const ENTITY = givenPersonModel('Confidant');
