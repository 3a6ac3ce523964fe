import assert from 'node:assert/strict';
import type {juggler} from '@loopback/repository';
import {givenPostgresSource} from '../support/behaviours';
import {
  givenPostgres15,
  givenPostgres18,
  type Postgres18,
  type TestDatabase,
} from '../support/databases';
import {givenPeople, givenPersonModel, keys, type PersonRepository} from '../support/people';

const ROWS = 2000;

for (const [name, givenServer] of Object.entries({
  'PostgreSQL 18': givenPostgres18,
  'PostgreSQL 15': givenPostgres15,
})) {
  describe(`a re-encryption on ${name}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let dataSource: juggler.DataSource;
    let entity: ReturnType<typeof givenPersonModel>;
    let before: PersonRepository;
    let people: PersonRepository;

    beforeEach(async function () {
      database = await (await givenServer())?.createDatabase('reencrypt');
      if (!database) return this.skip();
      dataSource = givenPostgresSource(database);
      entity = givenPersonModel();
      const behaviours = ['crypto', 'history'] as const;
      before = await givenPeople(dataSource, {entity, behaviours});
      people = await givenPeople(dataSource, {entity, behaviours, config: keys('k1', 'k2')});
      const ids = Array.from({length: ROWS}, (_, i) => idOf(i));
      await before.createAll(ids.map(id => ({id, name: 'n', ssn: `first ${id}`, email: id})));
    });
    afterEach(async () => {
      await dataSource?.disconnect();
      await database?.drop();
    });

    it('stands in nobody’s way, and nobody in its', async () => {
      const expected = new Map<string, string>();
      const running = {value: true};
      const each = async (write: (turn: number) => Promise<unknown>) => {
        let turns = 0;
        for (; running.value; turns++) await write(turns);
        return turns;
      };
      const rewrite = (repository: PersonRepository, from: number, to: number) =>
        each(async turn => {
          const id = idOf(from + (turn * 37) % (to - from));
          const ssn = `${turn} of ${id}`;
          await repository.updateById(id, {ssn});
          expected.set(id, ssn);
        });
      // Locks rows from the end to the beginning, while the re-encryption goes the other way.
      const backwards = each(async turn => {
        const transaction = await people.beginTransaction();
        for (let i = 40; i > 0; i--) {
          const id = idOf((turn * 41 + i) % ROWS);
          await people.updateById(id, {name: `turn ${turn}`}, {transaction});
        }
        await transaction.commit();
      });
      const writers = [rewrite(people, 0, ROWS / 2), rewrite(before, ROWS / 2, ROWS), backwards];
      const {total, failed} = await people.reencrypt({batchSize: 250});
      running.value = false;
      const turns = await Promise.all(writers);
      assert.ok(turns.every(n => n > 0), `the writers wrote ${turns.join(', ')} times`);
      assert.equal(failed, 0);
      assert.ok(total >= ROWS);
      const found = await people.find();
      assert.equal(found.length, ROWS);
      for (const {id, ssn} of found) assert.equal(ssn, expected.get(id) ?? `first ${id}`);
      await people.reencrypt();
      const alone = await givenPeople(dataSource, {entity, config: keys('k2')});
      assert.equal((await alone.find()).length, ROWS);
      const [last] = [...expected].slice(-1);
      assert.deepEqual((await alone.find({where: {ssn: last[1]}})).map(p => p.id), [last[0]]);
    });
  });
}

it('a re-encryption of plaintext tells no log what it finds', async function () {
  this.timeout(60_000);
  const server: Postgres18 = await givenPostgres18();
  const database = await server.createDatabase({name: 'plaintext', logStatements: true});
  const dataSource = givenPostgresSource(database);
  const entity = givenPersonModel('Bygone');
  const config = {...keys('k1'), readPlaintext: true};
  const people = await givenPeople(dataSource, {entity, config});
  const rows = Array.from({length: 50}, (_, i) => `('${i}', repeat('z', 3) || ${i}, 'x@${i}')`);
  await database.query(`INSERT INTO bygone (id, ssn, email) VALUES ${rows.join()}`);
  assert.deepEqual((await people.reencrypt()).changed, 50);
  assert.equal((await people.findById('7')).ssn, 'zzz7');
  assert.equal((await people.count({ssn: 'zzz7', email: 'X@7'})).count, 1);
  const log = (await server.readLog()).join('\n');
  assert.ok(log.includes('json_populate_recordset'));
  assert.ok(!log.includes('zzz'), 'the log holds plaintext');
  await dataSource.disconnect();
  await database.drop();
});

function idOf(i: number): string {
  return `p${String(i).padStart(4, '0')}`;
}
