import assert from 'node:assert/strict';
import {VersionConflictError, VersionRequiredError} from '../../../mixins/errors';
import {Author, type Book, type BookRepository} from '../../support/library';

/** The section "EmbedsOne Relation" of oe-common-mixins, example by example. */
export function originalSuite(givenBooks: () => BookRepository): void {
  let books: BookRepository;
  let id = '';
  let count = 0;
  beforeEach(() => {
    books = givenBooks();
    id = `B00${++count}`;
  });

  it('POST - create parent record: The BFG and Roald get one version', async () => {
    const created = await theBfg();
    assert.ok(created._version);
    assert.equal(created.author?._version, created._version);
    assert.ok(created.author instanceof Author);
    const found = await books.findById(id);
    assert.deepEqual(plain(found.author), plain(created.author));
    assert.deepEqual([found.author?.name, found._version], ['Roald', created._version]);
  });

  it('validates child and parent when the parent is created', async () => {
    const nameless = {id: 'A001'} as Author;
    await assert.rejects(books.create({id, name: 'The BFG', author: nameless}), {
      statusCode: 422,
      code: 'VALIDATION_FAILED',
      message: /\/author must have required property 'name'/,
    });
    await assert.rejects(books.create({id, author: roald()}), {statusCode: 422});
    assert.equal(await books.exists(id), false);
  });

  it('PUT - Update parent record: The Magic Finger leaves the child and its version', async () => {
    const {_version: first} = await theBfg();
    await books.replaceById(id, {name: 'The Magic Finger', id, _version: first});
    const {_version, _oldVersion, name, author} = await books.findById(id);
    assert.equal(name, 'The Magic Finger');
    assert.equal(_oldVersion, first);
    assert.notEqual(_version, first);
    assert.deepEqual(plain(author), {name: 'Roald', id: 'A001', _version: first});
  });

  it('PUT - Update parent record: an error when no record has that version', async () => {
    await theBfg();
    const stale = {name: 'The Magic Finger', id, _version: 'stale'};
    await assert.rejects(books.replaceById(id, stale), VersionConflictError);
    const {_version, ...none} = stale;
    await assert.rejects(books.replaceById(id, none), VersionRequiredError);
  });

  it('PUT - Updating embedded record: Roald Dahl, and both versions are equal again', async () => {
    const {book, first} = await theMagicFinger();
    const answered = await books.embedded('author').update(id, {
      name: 'Roald Dahl',
      id: 'A001',
      _version: first,
      _parentVersion: book._version,
    });
    assert.equal(answered.name, 'Roald Dahl');
    const after = await books.findById(id);
    assert.equal(after.author?.name, 'Roald Dahl');
    assert.equal(after.author?._version, after._version);
    assert.equal(answered._version, after._version);
    assert.equal(after._oldVersion, book._version);
    assert.equal(after.author?._oldVersion, first);
    assert.ok(after._version !== first && after._version !== book._version);
  });

  it("updating the child with only the child's version is an error when they differ", async () => {
    const {book, first} = await theMagicFinger();
    const author = books.embedded('author');
    await assert.rejects(author.update(id, {name: 'x', _version: first}), VersionConflictError);
    const onlyParent = {name: 'x', _parentVersion: book._version};
    await assert.rejects(author.update(id, onlyParent), VersionConflictError);
    await assert.rejects(author.update(id, {name: 'x'}), VersionRequiredError);
    assert.deepEqual(plain(await books.findById(id)), plain(book));
  });

  it('any one of _parentVersion and _version suffices when both are the same', async () => {
    const {_version} = await theBfg();
    const author = books.embedded('author');
    const second = await author.update(id, {name: 'Roald D.', _version});
    const third = await author.update(id, {name: 'Roald Dahl', _parentVersion: second._version});
    assert.equal((await books.findById(id))._version, third._version);
  });

  it('validates all fields of the embedded model, and writes nothing otherwise', async () => {
    const {_version} = await theBfg();
    const author = books.embedded('author');
    for (const wrong of [{name: ''}, {name: null}, {name: 7}, {born: 'soon'}, {shoes: 43}]) {
      await assert.rejects(author.update(id, {...wrong, _version} as never), {
        code: 'VALIDATION_FAILED',
        statusCode: 422,
        message: /\/author/,
      });
    }
    const found = await books.findById(id);
    assert.deepEqual([found._version, found.author?.name], [_version, 'Roald']);
  });

  async function theBfg(): Promise<Book> {
    return books.create({name: 'The BFG', id, author: roald()});
  }

  async function theMagicFinger(): Promise<{book: Book; first: string}> {
    const {_version: first} = await theBfg();
    await books.replaceById(id, {name: 'The Magic Finger', id, _version: first});
    return {book: await books.findById(id), first: first!};
  }
}

function roald(): Author {
  return {name: 'Roald', id: 'A001'} as Author;
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
