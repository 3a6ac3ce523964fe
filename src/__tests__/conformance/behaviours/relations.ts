import assert from 'node:assert/strict';
import {Application,inject} from '@loopback/core';
import {
  belongsTo,
  DefaultTransactionalRepository,
  Entity,
  hasMany,
  juggler,
  model,
  property,
  repository,
  RepositoryMixin,
  type BelongsToAccessor,
  type Getter,
  type HasManyRepositoryFactory,
  type HasManyThroughRepositoryFactory,
} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../../keys';
import {ALL, DECORATORS, migrate} from '../../support/behaviours';
import type {SoftDeletableRepository} from '../../../mixins/repository-methods';
import type {BehaviourTarget} from '../behaviours.suite';

@model({name: 'RelBook'})
class Book extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) title?: string;
  @property({type: 'string', encrypt: true}) secret?: string;
  @belongsTo(() => Author) authorId!: string;
  _version?: string;
}

@model({name: 'RelTag'})
class Tag extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) label?: string;
}

@model({name: 'RelTagging'})
class Tagging extends Entity {
  @property({type: 'string', id: true, defaultFn: 'uuidv4'}) id?: string;
  @property({type: 'string'}) authorId?: string;
  @property({type: 'string'}) tagId?: string;
}

@model({name: 'RelAuthor'})
class Author extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) name?: string;
  @hasMany(() => Book, {keyTo: 'authorId'}) books?: Book[];
  @hasMany(() => Tag, {through: {model: () => Tagging, keyFrom: 'authorId', keyTo: 'tagId'}})
  tags?: Tag[];
  _version?: string;
}

class TagRepository extends DefaultTransactionalRepository<Tag, string> {
  constructor(@inject('datasources.db') db: juggler.DataSource) {
    super(Tag, db);
  }
}

class TaggingRepository extends DefaultTransactionalRepository<Tagging, string> {
  constructor(@inject('datasources.db') db: juggler.DataSource) {
    super(Tagging, db);
  }
}

class BookRepository extends DefaultTransactionalRepository<Book, string> {
  readonly author: BelongsToAccessor<Author, string>;

  constructor(
    @inject('datasources.db') db: juggler.DataSource,
    @repository.getter('AuthorRepository') authors: Getter<AuthorRepository>,
  ) {
    super(Book, db);
    this.author = this.createBelongsToAccessorFor('author', authors);
    this.registerInclusionResolver('author', this.author.inclusionResolver);
  }
}

class AuthorRepository extends DefaultTransactionalRepository<Author, string> {
  readonly books: HasManyRepositoryFactory<Book, string>;
  readonly tags: HasManyThroughRepositoryFactory<Tag, string, Tagging, string>;

  constructor(
    @inject('datasources.db') db: juggler.DataSource,
    @repository.getter('BookRepository') books: Getter<BookRepository>,
    @repository.getter('TagRepository') tags: Getter<TagRepository>,
    @repository.getter('TaggingRepository') taggings: Getter<TaggingRepository>,
  ) {
    super(Author, db);
    this.books = this.createHasManyRepositoryFactoryFor('books', books);
    this.tags = this.createHasManyThroughRepositoryFactoryFor('tags', tags, taggings);
    this.registerInclusionResolver('books', this.books.inclusionResolver);
    this.registerInclusionResolver('tags', this.tags.inclusionResolver);
  }
}

const REPOSITORIES = [AuthorRepository, BookRepository, TagRepository, TaggingRepository];
for (const repositoryClass of REPOSITORIES) {
  ALL.forEach(name => DECORATORS[name]()(repositoryClass as never));
}

type Deletable<T extends Entity> = SoftDeletableRepository<T, string>;

/** Related rows, read and written through `@repository.getter`, as an application does. */
export function relationsSuite({dataSource, transactions}: BehaviourTarget): void {
  let authors: AuthorRepository & Deletable<Author>;
  let books: BookRepository & Deletable<Book>;
  let tags: TagRepository;
  let taggings: TaggingRepository;

  before(async () => {
    const app = new (RepositoryMixin(Application))();
    app.configure(LiveEntitiesBindings.CRYPTO).to({
      keys: [{id: 'k1', secret: 'correct horse battery staple correct horse'}],
      current: 'k1',
    });
    app.bind('datasources.db').to(dataSource()).tag('datasource');
    REPOSITORIES.forEach(repositoryClass => app.repository(repositoryClass as never));
    authors = await app.get('repositories.AuthorRepository');
    books = await app.get('repositories.BookRepository');
    tags = await app.get('repositories.TagRepository');
    taggings = await app.get('repositories.TaggingRepository');
    await migrate(dataSource());
  });

  beforeEach(async () => {
    const all = {withDeleted: true, hard: true};
    for (const repo of [authors, books, tags, taggings]) await repo.deleteAll({}, all);
    await authors.create({id: 'ann', name: 'Ann'});
    for (const [id, title] of [['b1', 'One'], ['b2', 'Two']]) {
      await authors.books('ann').create({id, title, secret: `of ${id}`});
    }
    await books.deleteAll({id: 'b1'}, {remoteUser: 'bob'});
  });

  it('a deleted child is absent from an include, and its parent is kept', async () => {
    const [ann] = await authors.find({include: ['books']});
    assert.deepEqual(ann.books?.map(b => [b.id, b.secret]), [['b2', 'of b2']]);
    await books.deleteAll({});
    const [alone] = await authors.find({include: [{relation: 'books'}]});
    assert.deepEqual([alone.id, alone.books ?? []], ['ann', []]);
    assert.deepEqual(await authors.books('ann').find(), []);
  });

  it('a deleted parent is absent from an include, and its child is kept', async () => {
    await authors.deleteAll({});
    const [book] = await books.find({include: ['author']});
    assert.deepEqual([book.id, (book as {author?: Author}).author], ['b2', undefined]);
  });

  it('options reach the children of an include', async () => {
    const [ann] = await authors.find({include: ['books']}, {withDeleted: true});
    assert.deepEqual(ann.books?.map(b => b.id).sort(), ['b1', 'b2']);
  });

  it('the scope of an inclusion keeps its own or, and its fields', async () => {
    const scope = {where: {or: [{id: 'b1'}, {title: 'Two'}]}, fields: ['title', 'authorId']};
    const [ann] = await authors.find({include: [{relation: 'books', scope: scope as never}]});
    const shown = ann.books?.map(b => JSON.parse(JSON.stringify(b)) as object);
    assert.deepEqual(shown, [{title: 'Two', authorId: 'ann'}]);
  });

  it('the scope of an inclusion cannot compare what is encrypted', async () => {
    const scope = {where: {secret: {like: 'of%'}}};
    await assert.rejects(authors.find({include: [{relation: 'books', scope}]}), {
      code: 'ENCRYPTED_QUERY_UNSUPPORTED',
    });
  });

  it('a relation of no row at all means no rows, never all of them', async () => {
    const ofNobody = authors.books(undefined as never);
    const refusal = {code: 'INVALID_WHERE'};
    await assert.rejects(ofNobody.find(), refusal);
    await assert.rejects(ofNobody.patch({title: 'x'}), refusal);
    await assert.rejects(ofNobody.delete(), refusal);
    assert.deepEqual((await books.find()).map(b => b.title), ['Two']);
  });

  it('writes through a relation are writes like any other', async () => {
    assert.deepEqual(await authors.books('ann').patch({title: 'New'}), {count: 1});
    assert.deepEqual(await authors.books('ann').delete(), {count: 1});
    const rows = await books.find({order: ['id ASC']}, {onlyDeleted: true});
    assert.deepEqual(rows.map(b => [b.id, b.title]), [['b1', 'One'], ['b2', 'New']]);
    assert.equal(new Set(rows.map(b => b._version)).size, 2);
    await books.restoreAll({});
    assert.equal((await authors.books('ann').find()).length, 2);
  });

  if (transactions) {
    it('a delete through hasManyThrough keeps to its transaction', async () => {
      await authors.tags('ann').create({id: 't1', label: 'new'});
      const transaction = await authors.beginTransaction();
      const within = {transaction, throughOptions: {transaction}};
      assert.deepEqual(await authors.tags('ann').delete({label: 'new'}, within), {count: 1});
      assert.equal(await tags.exists('t1', {transaction}), false);
      await transaction.rollback();
      assert.equal(await tags.exists('t1'), true);
      assert.equal((await taggings.count()).count, 1);
      const [ann] = await authors.find({include: ['tags']});
      assert.deepEqual(ann.tags?.map(t => t.label), ['new']);
      await authors.tags('ann').delete({label: 'new'});
      assert.deepEqual([(await tags.count()).count, (await taggings.count()).count], [0, 0]);
    });
  }
}
