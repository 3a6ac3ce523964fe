import assert from 'node:assert/strict';
import {
  DefaultTransactionalRepository,
  Entity,
  model,
  property,
  type juggler,
} from '@loopback/repository';
import {historical, softDeletable} from '../../../mixins/decorators';
import {RestoreConflictError} from '../../../mixins/errors';
import type {SoftDeletableRepository} from '../../../mixins/repository-methods';
import {migrate} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

let models = 0;

interface Member extends Entity {
  id: string;
  email: string;
  team?: string;
  seat?: number;
}

type Members = DefaultTransactionalRepository<Member, string> &
  SoftDeletableRepository<Member, string>;

/** What migrations make of unique indexes when a model's rows can be deleted softly. */
export function uniqueSuite({dataSource, unique}: BehaviourTarget): void {
  const {duplicate, among} = unique!;
  let members: Members;

  beforeEach(async () => {
    members = await givenMembers(dataSource());
    await members.createAll([
      {id: 'a', email: 'a@x', team: 't', seat: 1},
      {id: 'b', email: 'b@x', team: 't', seat: 2},
    ]);
  });

  const refused = (write: Promise<unknown>) => assert.rejects(write, {code: duplicate});

  it('keeps values unique among live rows', async () => {
    await refused(members.create({id: 'c', email: 'a@x'}));
    await refused(members.updateById('b', {email: 'a@x'}));
    await refused(members.create({id: 'c', email: 'c@x', team: 't', seat: 2}));
    await members.create({id: 'c', email: 'c@x', team: 'u', seat: 2});
  });

  if (among === 'all') {
    it('keeps the values of deleted rows taken: this engine has no partial indexes', async () => {
      await members.deleteById('a');
      await refused(members.create({id: 'c', email: 'a@x'}));
    });
    return;
  }

  it('lets the values of a deleted row be taken', async () => {
    await members.deleteById('a');
    await members.create({id: 'c', email: 'a@x', team: 't', seat: 1});
    const conflict = {code: 'RESTORE_CONFLICT', statusCode: 409};
    await assert.rejects(members.restoreById('a'), (error: RestoreConflictError) => {
      assert.deepEqual({code: error.code, statusCode: error.statusCode}, conflict);
      assert.match(error.constraint!, /_live$/);
      return true;
    });
    await assert.rejects(members.restoreAll({}), conflict);
    await members.deleteById('c');
    await members.restoreById('a');
    await assert.rejects(members.restoreById('c'), conflict);
  });

  it('is what a migration makes, however often it runs', async () => {
    const names = [members.entityClass.modelName];
    const made = await indexes(dataSource(), names[0]);
    const partial = made.filter(index => /UNIQUE.* WHERE \(_isdeleted IS NOT TRUE\)/.test(index));
    assert.equal(partial.length, 2);
    for (let run = 0; run < 2; run++) {
      await dataSource().autoupdate(names);
      assert.deepEqual(await indexes(dataSource(), names[0]), made);
    }
    await members.deleteById('a');
    await members.create({id: 'c', email: 'a@x'});
  });

  it('takes the place of an index that spans all rows', async () => {
    const {entityClass} = members;
    await dataSource().execute(
      `CREATE UNIQUE INDEX "seats_of_${entityClass.modelName.toLowerCase()}" ` +
        `ON "${entityClass.modelName.toLowerCase()}" ("team", "seat")`,
    );
    await dataSource().autoupdate([entityClass.modelName]);
    const unique = await indexes(dataSource(), entityClass.modelName);
    assert.equal(unique.filter(i => /UNIQUE/.test(i) && !/WHERE|_pkey/.test(i)).length, 0);
  });
}

async function indexes(dataSource: juggler.DataSource, modelName: string): Promise<string[]> {
  const rows = (await dataSource.execute(
    'SELECT indexdef FROM pg_indexes WHERE tablename = $1 ORDER BY 1',
    [modelName.toLowerCase()],
  )) as {indexdef: string}[];
  return rows.map(row => row.indexdef);
}

async function givenMembers(dataSource: juggler.DataSource): Promise<Members> {
  const name = `Member${++models}`;
  const seats = {keys: {team: 1, seat: -1}, options: {unique: true}};

  @model({name, settings: {indexes: {[`seats_of_${name.toLowerCase()}`]: seats}}})
  class MemberModel extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({
      type: 'string',
      index: {unique: true},
      mysql: {dataType: 'varchar', dataLength: 100},
    })
    email!: string;
    @property({type: 'string', mysql: {dataType: 'varchar', dataLength: 100}}) team?: string;
    @property({type: 'number'}) seat?: number;
  }

  @softDeletable()
  @historical()
  class MemberRepository extends DefaultTransactionalRepository<Entity, string> {
    constructor(db: juggler.DataSource) {
      super(MemberModel, db);
    }
  }
  const members = new MemberRepository(dataSource) as unknown as Members;
  await migrate(dataSource);
  return members;
}
