import assert from 'node:assert/strict';
import {DefaultCrudRepository, Entity, Model, model, property} from '@loopback/repository';
import {getModelSchemaRef} from '@loopback/rest';
import {versioned} from '../../../mixins/decorators';
import {embedsMany, embedsOne} from '../../../mixins/embedded/decorators';
import {EmbeddingMixin} from '../../../mixins/mixins';
import {SoftDeletable, Versioned} from '../../../mixins/model-mixins';
import {givenMemory} from '../../support/behaviours';
import {Address, Book, Note} from '../../support/library';

type ModelClass = typeof Model;

describe('embedding', () => {
  it('refuses children that could not be kept as their models say', () => {
    @model()
    class Secret extends Model {
      @property({type: 'string', encrypt: true}) pin!: string;
    }
    @model()
    class Deletable extends SoftDeletable(Entity) {}
    @model({settings: {mixins: {HistoryMixin: true}}})
    class Historical extends Model {}
    @model()
    class Nesting extends Model {
      @embedsOne(() => Secret) secret?: Secret;
    }
    class Plain {}
    const refusals: [unknown, RegExp][] = [
      [Secret, /pin is to be encrypted/],
      [Deletable, /soft delete is for rows/],
      [Historical, /history is kept of rows/],
      [Nesting, /embeds secret itself/],
      [Plain, /no @model/],
    ];
    for (const [target, message] of refusals) {
      const expected = {code: 'EMBEDDING_INVALID', message};
      assert.throws(() => givenParents(target as ModelClass), expected);
    }
  });

  it('refuses a list of children without an id', () => {
    @model()
    class Nameless extends Model {
      @property({type: 'string'}) text!: string;
    }
    assert.throws(() => givenParents(Nameless, 'many'), /no id to tell them apart/);
    assert.doesNotThrow(() => givenParents(Nameless, 'one'));
  });

  it('refuses children with versions in a parent without', () => {
    @model()
    class Child extends Versioned(Entity) {
      @property({type: 'string', id: true}) id!: string;
    }
    const {plain, withVersions} = givenParents(Child);
    assert.throws(() => plain.embedded('child'), /has to be versioned, too/);
    assert.doesNotThrow(() => withVersions.embedded('child'));
  });

  it('takes a child whose settings name the version mixin for one with versions', async () => {
    @model({settings: {mixins: {VersionMixin: true}}})
    class Child extends Entity {
      @property({type: 'string', id: true}) id!: string;
    }
    const {withVersions} = givenParents(Child);
    const parent = await withVersions.create({id: 'p', child: {id: 'c'}} as never);
    const {_version, child} = parent as unknown as {_version: string; child: {_version: string}};
    assert.ok(_version);
    assert.equal(child._version, _version);
  });

  it('knows no other properties', () => {
    const {plain} = givenParents(Address);
    assert.throws(() => plain.embedded('id'), {code: 'EMBEDDING_INVALID'});
  });

  it('shows the child in the schema of the parent', () => {
    const {definitions} = getModelSchemaRef(Book) as unknown as {
      definitions: Record<string, {properties: Record<string, object>; required?: string[]}>;
    };
    assert.deepEqual(definitions.Book.properties.author, {$ref: '#/components/schemas/Author'});
    assert.deepEqual(definitions.Book.properties.chapters, {
      type: 'array',
      items: {$ref: '#/components/schemas/Chapter'},
    });
    assert.deepEqual(definitions.Author.required, ['name']);
  });

  it('does not mind a plain repository of the same model, before it or after it', async () => {
    const dataSource = givenMemory();
    const plain = new DefaultCrudRepository<Note, string>(Note as never, dataSource);
    const Notes = EmbeddingMixin(DefaultCrudRepository<Note, string>);
    const notes = new Notes(Note, dataSource);
    await notes.create({id: 'n', address: {city: 'Bern'} as never});
    await notes.embedded('address').update('n', {city: 'Basel'});
    assert.equal((await plain.findById('n')).address?.city, 'Basel');
    const later = new DefaultCrudRepository<Note, string>(Note as never, dataSource);
    assert.equal((await later.findById('n')).address?.city, 'Basel');
  });
});

let parents = 0;

/** A parent of the child, with and without versions. */
function givenParents(target: ModelClass, kind: 'one' | 'many' = 'one') {
  const embeds = kind === 'one' ? embedsOne : embedsMany;
  @model({name: `Parent${++parents}`})
  class Parent extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @embeds(() => target) child?: object;
  }
  const Plain = EmbeddingMixin(DefaultCrudRepository<Parent, string>);
  @versioned()
  class WithVersions extends EmbeddingMixin(DefaultCrudRepository<Parent, string>) {}
  const plain = new Plain(Parent, givenMemory());
  const withVersions = new WithVersions(Parent, givenMemory());
  return {plain, withVersions} as unknown as Record<'plain' | 'withVersions', AnyParents>;
}

type AnyParents = DefaultCrudRepository<Entity, string> & {embedded(name: string): unknown};
