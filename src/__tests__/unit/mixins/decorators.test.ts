import assert from 'node:assert/strict';
import {Application, Context, inject} from '@loopback/core';
import {
  DefaultCrudRepository,
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  repository,
  RepositoryMixin,
  type AnyObject,
} from '@loopback/repository';
import {getJsonSchema} from '@loopback/rest';
import {SecurityBindings, securityId} from '@loopback/security';
import {LiveEntitiesBindings} from '../../../keys';
import {
  audited,
  encrypted,
  historical,
  softDeletable,
  versioned,
} from '../../../mixins/decorators';
import {
  AuditFieldsMixin,
  BaseEntityRepository,
  HistoryMixin,
  SoftDeleteMixin,
  VersionMixin,
} from '../../../mixins/mixins';
import {Audited, SoftDeletable, Versioned} from '../../../mixins/model-mixins';
import {givenContext, givenMemory} from '../../support/behaviours';

describe('behaviours of a repository class', () => {
  let db: juggler.DataSource;
  beforeEach(() => {
    db = givenMemory();
  });

  it('leave the class what it was: its name, its injections, its identity', async () => {
    const app = new RepositoryApplication();
    app.dataSource(db, 'db');
    const binding = app.repository(NoteRepository);
    assert.equal(binding.key, 'repositories.NoteRepository');
    class Consumer {
      constructor(@repository(NoteRepository) readonly notes: NoteRepository) {}
    }
    app.bind('greeting').to('hello');
    app.bind('consumer').toClass(Consumer);
    app.bind(SecurityBindings.USER).to({[securityId]: 'alice'});
    const {notes} = await app.get<Consumer>('consumer');
    assert.ok(notes instanceof NoteRepository);
    assert.equal(notes.greeting, 'hello');
    assert.equal((await notes.create({text: 'x'}))._createdBy, 'alice');
  });

  it('come below what the application has written', async () => {
    class Base extends DefaultCrudRepository<Note, number> {
      override async create(note: Partial<Note>) {
        return super.create({...note, text: `${note.text} by base`});
      }
    }
    @versioned()
    class Notes extends Base {
      override async create(note: Partial<Note>) {
        const created = await super.create({...note, text: `${note.text} by class`});
        assert.ok(created._version);
        return created;
      }
    }
    assert.equal((await new Notes(Note, db).create({text: 'x'})).text, 'x by class by base');
    const plain = await new Base(Note, givenMemory()).create({text: 'y'});
    assert.deepEqual([plain.text, plain._version], ['y by base', undefined]);
  });

  it('are inherited, and a subclass adds its own', async () => {
    @audited()
    class Notes extends DefaultCrudRepository<Note, number> {}
    @versioned()
    class CheckedNotes extends Notes {}
    const [loose, checked] = [new Notes(Note, givenMemory()), new CheckedNotes(Note, db)];
    const first = await checked.create({text: 'x'});
    assert.deepEqual([typeof first._version, first._createdBy], ['string', 'system']);
    assert.equal((await loose.create({text: 'x'}))._version, undefined);
  });

  it('need a repository of LoopBack below them', () => {
    class Other {}
    assert.throws(() => versioned()(Other as never), TypeError);
  });

  it('as mixins put their methods into the type', async () => {
    class Notes extends HistoryMixin(
      SoftDeleteMixin(
        VersionMixin(AuditFieldsMixin(DefaultTransactionalRepository<Note, number>)),
      ),
    ) {}
    const notes = new Notes(Note, db);
    const note = await notes.create({text: 'one'});
    await notes.deleteById(note.id, {version: note._version});
    await notes.restoreById(note.id);
    const revisions = await notes.history(note.id);
    const texts: string[] = revisions.map(r => r.entity.text);
    assert.deepEqual(texts, ['one', 'one']);
    await notes.withRetry(note.id, async now => notes.deleteById(now.id, {version: now._version}));
  });

  it('say what is missing when asked for what the repository does not have', async () => {
    @versioned()
    class Notes extends DefaultCrudRepository<Note, number> {}
    const notes = new Notes(Note, db) as Notes & {history(id: number): Promise<unknown>};
    await assert.rejects(notes.history(1), {code: 'BEHAVIOUR_MISSING'});
  });

  it('can be declared by the model, by the application, or not at all', async () => {
    @model({settings: {mixins: {VersionMixin: true, AuditFieldsMixin: false}}})
    class Declared extends Entity {
      @property({id: true, type: 'number', generated: true}) id!: number;
      @property() text!: string;
      _version?: string;
      _createdBy?: string;
      _isDeleted?: boolean;
    }
    class DeclaredRepository extends BaseEntityRepository<Declared, number> {}
    const repo = new DeclaredRepository(Declared, db) as DeclaredRepository & WithContext;
    const alone = await repo.create({text: 'x'});
    assert.ok(alone._version && alone._createdBy === undefined);

    const context = new Context();
    const mixins = {AuditFieldsMixin: true, SoftDeleteMixin: true, VersionMixin: false};
    context.configure(LiveEntitiesBindings.COMPONENT).to({mixins});
    repo.liveContext = context;
    const configured = await repo.create({text: 'y'});
    assert.ok(configured._version);
    assert.deepEqual([configured._isDeleted, configured._createdBy], [false, undefined]);

    const plain = new BaseEntityRepository(PlainNote, givenMemory());
    assert.deepEqual({...(await plain.create({text: 'z'}))}, {id: 1, text: 'z'});
  });

  it('work on a model whose table a plain repository has defined before', async () => {
    const plain = new DefaultCrudRepository(PlainNote, db);
    await plain.create({text: 'old'});
    @versioned() @historical() @softDeletable()
    class Notes extends DefaultCrudRepository<PlainNote, number> {}
    const notes = new Notes(PlainNote, db);
    const [old] = await notes.find();
    await notes.updateById(old.id, {text: 'new', _version: null} as never);
    assert.equal((await notes.findById(old.id)).text, 'new');
  });

  it('encrypt a date of a model that a plain repository has defined before', async () => {
    @model()
    class Person extends Entity {
      @property({type: 'string', id: true}) id!: string;
      @property({type: 'date', encrypt: true} as object) born?: Date;
      [other: string]: unknown;
    }
    const plain = new DefaultCrudRepository<Person, string>(Person, db);
    @encrypted()
    class People extends DefaultCrudRepository<Person, string> {}
    const people = new People(Person, db);
    (people as unknown as {liveContext: Context}).liveContext = givenContext();
    const born = new Date('2000-02-29T00:00:00.000Z');
    await people.create({id: 'a', born});
    await people.replaceById('a', {id: 'a', born} as Person);
    assert.deepEqual((await people.findById('a')).born, born);
    assert.match(String((await plain.findById('a')).born), /^le1\./);
  });

  it('leave a plain repository plain, though the settings of its model name mixins', async () => {
    const mixins = {VersionMixin: true, HistoryMixin: true, CryptoMixin: {}};
    @model({settings: {mixins}})
    class Declared extends Entity {
      @property({id: true, type: 'number', generated: true}) id!: number;
    }
    const warned: Error[] = [];
    const onWarning = (warning: Error) => void warned.push(warning);
    process.on('warning', onWarning);
    const plain = new DefaultCrudRepository(Declared, givenMemory());
    assert.deepEqual({...(await plain.create({}))}, {id: 1});
    assert.ok(new DefaultCrudRepository(Declared, givenMemory()));
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    assert.equal(warned.length, 1);
    assert.match(warned[0].message, /Declared .* extend BaseEntityRepository/);

    const live = new BaseEntityRepository(Declared, plain.dataSource);
    const created = (await live.create({})) as {_version?: string};
    assert.ok(created._version);
  });

  it('of others in the settings are still for juggler to know', () => {
    @model({settings: {mixins: {TimestampMixin: true}}})
    class Foreign extends Entity {
      @property({id: true, type: 'number'}) id!: number;
    }
    const unknown = /unknown mixin: TimestampMixin/;
    assert.throws(() => new DefaultCrudRepository(Foreign, givenMemory()), unknown);
    assert.throws(() => new BaseEntityRepository(Foreign, givenMemory()), unknown);
  });

  it('write through juggler when the model has hooks that see writes', async () => {
    @audited()
    class Notes extends DefaultCrudRepository<Note, number> {}
    const notes = new Notes(Note, db);
    const seen: unknown[] = [];
    (notes.modelClass as unknown as Observed).observe('before save', async ctx => {
      seen.push((ctx.instance ?? ctx.data)?._modifiedBy);
    });
    const {id} = await notes.create({text: 'x'}, {remoteUser: 'alice'});
    await notes.updateById(id, {text: 'y'}, {remoteUser: 'bob'});
    assert.deepEqual(seen, ['alice', 'bob']);
  });

  it('validate what juggler validates', async () => {
    @versioned() @audited()
    class Notes extends DefaultCrudRepository<Note, number> {}
    const notes = new Notes(Note, db);
    await assert.rejects(notes.create({}), {name: 'ValidationError'});
    await assert.rejects(notes.create({text: 'x', nope: 1} as never), {name: 'ValidationError'});
  });
});

describe('model mixins', () => {
  it('put their properties into the schema and the columns', () => {
    const {properties = {}} = getJsonSchema(Note);
    for (const name of ['_version', '_newVersion', '_createdOn', '_isDeleted']) {
      assert.ok(name in properties, name);
    }
    @versioned() @historical()
    class Notes extends DefaultCrudRepository<Note, number> {}
    const notes = new Notes(Note, givenMemory());
    const columns = Object.keys(
      (notes.modelClass as unknown as {definition: {properties: object}}).definition.properties,
    );
    assert.ok(columns.includes('_version') && columns.includes('_revision'));
    assert.ok(!columns.includes('_newVersion'));
    assert.ok(!('_revision' in (getJsonSchema(Note).properties ?? {})));
  });
});

@model()
class Note extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({id: true, type: 'number', generated: true}) id!: number;
  @property({type: 'string', required: true}) text!: string;
}

@model()
class PlainNote extends Entity {
  @property({id: true, type: 'number', generated: true}) id!: number;
  @property({type: 'string'}) text!: string;
}

@audited()
class NoteRepository extends DefaultCrudRepository<Note, number> {
  @inject('greeting') greeting!: string;
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Note, dataSource);
  }
}

class RepositoryApplication extends RepositoryMixin(Application) {}

interface WithContext {
  liveContext?: Context;
}

interface Observed {
  observe(
    hook: string,
    observer: (ctx: {instance?: AnyObject; data?: AnyObject}) => Promise<void>,
  ): void;
}
