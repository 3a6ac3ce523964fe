import assert from 'node:assert/strict';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {EntityNotFoundError, type IsolationLevel} from '@loopback/repository';
import {
  EmbeddedExistsError,
  EmbeddedValidationError,
  EmbeddedWriteError,
} from '../../../mixins/embedded/errors';
import {VersionConflictError, VersionRequiredError} from '../../../mixins/errors';
import {Author, Chapter, type Library, Review} from '../../support/library';
import type {EmbeddedTarget} from './target';

export function childrenSuite({library, transactions, crowd}: EmbeddedTarget): void {
  const {books, shops, notes} = views(library);
  let count = 0;
  const givenId = () => `id${++count}`;

  describe('one child', () => {
    it('is got, created, replaced and deleted, each time under the parent\'s version', async () => {
      const id = givenId();
      const author = books().embedded('author');
      const {_version: first} = await books().create({id, name: 'x'});
      await assert.rejects(author.get(id), EntityNotFoundError);
      await assert.rejects(author.create(id, {name: 'Ann'}), VersionRequiredError);
      const born = new Date('1916-09-13T00:00:00.000Z');
      const data = {name: 'Ann', born, address: 'secret'};
      const created = await author.create(id, {...data, _parentVersion: first});
      assert.deepEqual([created.born, created.address], [born, 'secret']);
      const got = await author.get(id);
      assert.ok(got instanceof Author && got.born instanceof Date);
      assert.equal(got.address, 'secret');
      const {_version} = created;
      const replaced = await author.replace(id, {name: 'Bea', _version});
      assert.deepEqual([replaced.name, replaced.born], ['Bea', undefined]);
      await assert.rejects(author.delete(id, {_parentVersion: _version}), VersionConflictError);
      await author.delete(id, {_parentVersion: replaced._version});
      const after = await books().findById(id);
      assert.equal(after.author ?? null, null);
      assert.equal(after._oldVersion, replaced._version);
    });

    it('is there once: a second needs the version of the first', async () => {
      const id = givenId();
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      const author = books().embedded('author');
      const second = {name: 'b', _parentVersion: _version};
      await assert.rejects(author.create(id, second), EmbeddedExistsError);
      const posted = await author.create(id, {...second, _version});
      assert.equal(posted.name, 'b');
    });

    it('has no parent that is absent or deleted', async () => {
      const id = givenId();
      const author = books().embedded('author');
      await assert.rejects(author.get(id), {code: 'ENTITY_NOT_FOUND', message: /Book/});
      const data = {name: 'a', _parentVersion: 'v'};
      await assert.rejects(author.create(id, data), EntityNotFoundError);
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      await books().deleteById(id, {version: _version});
      await assert.rejects(author.get(id), EntityNotFoundError);
      assert.equal((await author.get(id, {withDeleted: true})).name, 'a');
    });

    it('takes no version from a client, but the parent\'s', async () => {
      const id = givenId();
      const forged = {name: 'a', _version: 'mine', _oldVersion: 'older'} as Author;
      const book = await books().create({id, name: 'x', author: forged, _newVersion: 'v1'});
      assert.deepEqual([book._version, book.author?._version], ['v1', 'v1']);
      assert.equal(book.author?._oldVersion, undefined);
    });

    it('comes with createAll, each with the version of its own parent', async () => {
      const ids = [givenId(), givenId()];
      const rows = ids.map(id => ({id, name: id, author: {name: id} as Author}));
      const created = await books().createAll(rows);
      for (const book of created) assert.equal(book.author?._version, book._version);
      assert.notEqual(created[0]._version, created[1]._version);
    });
  });

  describe('a list of children', () => {
    it('gets ids, defaults and the version of the parent', async () => {
      const id = givenId();
      const chapters = [{title: 'one'}, {id: 'c2', title: 'two', pages: 9}] as Chapter[];
      const book = await books().create({id, name: 'x', chapters});
      const [one, two] = (await books().findById(id)).chapters!;
      assert.ok(one instanceof Chapter && one.id.length === 36);
      assert.deepEqual([one.pages, two.id, two.pages], [1, 'c2', 9]);
      assert.deepEqual([one._version, two._version], [book._version, book._version]);
    });

    it('is written child by child; the others keep their versions', async () => {
      const {id, chapters, first} = await givenChapters();
      const renamed = await chapters.update(id, 'c1', {title: 'I', _version: first});
      assert.deepEqual([renamed.title, renamed.pages], ['I', 1]);
      const added = await chapters.create(id, {
        id: 'c3', title: 'three', _parentVersion: renamed._version,
      });
      const found = await books().findById(id);
      assert.deepEqual(found.chapters?.map(c => c.title), ['I', 'two', 'three']);
      assert.deepEqual(
        found.chapters?.map(c => c._version),
        [renamed._version, first, added._version],
      );
      assert.equal(found._version, added._version);
      const named = {_version: first, _parentVersion: added._version};
      await chapters.delete(id, 'c2', named);
      assert.deepEqual((await chapters.get(id)).map(c => c.id), ['c1', 'c3']);
      assert.equal((await chapters.get(id, 'c3')).title, 'three');
    });

    it('refuses a child that is absent, a second of an id, and a change of an id', async () => {
      const {id, chapters, first} = await givenChapters();
      await assert.rejects(chapters.get(id, 'c9'), {code: 'ENTITY_NOT_FOUND', message: /Chapter/});
      await assert.rejects(chapters.update(id, 'c9', {_version: first}), EntityNotFoundError);
      await assert.rejects(chapters.delete(id, 'c9', {_version: first}), EntityNotFoundError);
      const again = {id: 'c1', title: 'x', _parentVersion: first};
      await assert.rejects(chapters.create(id, again), EmbeddedExistsError);
      await chapters.replace(id, 'c1', {id: 'c7', title: 'x', _version: first});
      assert.deepEqual((await chapters.get(id)).map(c => c.id), ['c1', 'c2']);
    });

    async function givenChapters() {
      const id = givenId();
      const list = [{id: 'c1', title: 'one'}, {id: 'c2', title: 'two'}] as Chapter[];
      const {_version: first} = await books().create({id, name: 'x', chapters: list});
      return {id, first, chapters: books().embedded('chapters')};
    }
  });

  describe('a write of the parent', () => {
    it('can send back what was read, and leaves the children', async () => {
      const id = givenId();
      const chapters = [{id: 'c1', title: 'one'}] as Chapter[];
      const author = {name: 'a', born: new Date(0)} as Author;
      await books().create({id, name: 'x', author, chapters});
      const book = await books().findById(id);
      await books().replaceById(id, {...book, name: 'y'});
      const entity = await books().findById(id);
      entity.name = 'z';
      await books().save(entity);
      await books().updateById(id, {...JSON.parse(JSON.stringify(entity)), name: 'w'});
      const after = await books().findById(id);
      assert.equal(after.name, 'w');
      assert.deepEqual(after.author, book.author);
      assert.deepEqual(after.chapters, book.chapters);
    });

    it('refuses to change a child that has versions', async () => {
      const id = givenId();
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      for (const author of [{name: 'b'} as Author, null as never]) {
        await assert.rejects(books().updateById(id, {author, _version}), EmbeddedWriteError);
        const whole = {id, name: 'x', author, _version};
        await assert.rejects(books().replaceById(id, whole), EmbeddedWriteError);
        await assert.rejects(books().updateAll({author}, {id}), EmbeddedWriteError);
      }
      const stale = {author: {name: 'b'} as Author, _version: 'stale'};
      await assert.rejects(books().updateById(id, stale), VersionConflictError);
      assert.equal((await books().findById(id))._version, _version);
    });

    it('writes children that have none, checked', async () => {
      const id = givenId();
      const {_version} = await shops().create({id, address: {city: 'Bern'} as never});
      const wrong = {address: {town: 'Basel'} as never, _version};
      await assert.rejects(shops().updateById(id, wrong), EmbeddedValidationError);
      await shops().updateById(id, {address: {city: 'Basel'} as never, _version});
      const {_version: next, address} = await shops().findById(id);
      assert.equal(address?.city, 'Basel');
      await shops().replaceById(id, {name: 'n', _version: next});
      assert.equal((await shops().findById(id)).address?.city, 'Basel');
    });
  });

  describe('together with the behaviours of the parent', () => {
    it('is in the history, with who wrote it, and comes back by revert', async () => {
      const id = givenId();
      const first = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      const author = books().embedded('author');
      await nextMillisecond();
      const second = await author.update(
        id, {name: 'b', _version: first._version}, {reason: 'married'},
      );
      const [revision, ...rest] = await books().history(id);
      assert.deepEqual(rest, []);
      assert.deepEqual(
        [revision.entity.author?.name, revision._reason, revision._by],
        ['a', 'married', 'ann'],
      );
      assert.ok(revision.entity.author instanceof Author);
      const then = await books().findByIdAsOf(id, revision._validFrom);
      assert.equal(then.author?.name, 'a');
      await books().revertTo(id, 1, {version: second._version});
      assert.equal((await author.get(id)).name, 'a');
    });

    it('keeps what the child\'s model hides', async () => {
      const id = givenId();
      const hidden = {name: 'a', address: 'secret'} as Author;
      const {_version} = await books().create({id, name: 'x', author: hidden});
      const author = books().embedded('author');
      const second = await author.update(id, {name: 'b', _version});
      await books().revertTo(id, 1, {version: second._version});
      assert.equal((await author.get(id)).address, 'secret');
      assert.ok(!JSON.stringify(await author.get(id)).includes('secret'));
    });

    it('leaves versions alone when asked to', async () => {
      const id = givenId();
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      await books().embedded('author').update(id, {name: 'b'}, {bumpVersion: false});
      const after = await books().findById(id);
      assert.deepEqual(
        [after.author?.name, after._version, after.author?._version],
        ['b', _version, _version],
      );
    });

    it('records who wrote an audited child', async () => {
      const id = givenId();
      const forged = {id: 1, text: 'good', _createdBy: 'eve'} as Review;
      const shop = await shops().create({id, reviews: [forged]});
      const [review] = shop.reviews!;
      assert.deepEqual([review._type, review._createdBy, review._modifiedBy], [
        'Review', 'ann', 'ann',
      ]);
      assert.ok(review._createdOn instanceof Date);
      const reviews = shops().embedded('reviews');
      const options = {remoteUser: 'bob', version: shop._version};
      const after = await reviews.update(id, 1, {text: 'bad'}, options);
      assert.deepEqual([after._createdBy, after._modifiedBy], ['ann', 'bob']);
    });
  });

  describe('a child without versions', () => {
    it('refuses _parentVersion as unknown', async () => {
      const id = givenId();
      const {_version} = await shops().create({id, address: {city: 'Bern'} as never});
      const address = shops().embedded('address');
      for (const write of [
        address.update(id, {city: 'Basel', _parentVersion: _version}),
        address.create(id, {city: 'Basel', _parentVersion: _version}),
        address.delete(id, {_parentVersion: _version}),
      ]) {
        await assert.rejects(write, {statusCode: 422, message: /_parentVersion/});
      }
    });

    it('is written under the parent\'s version, which the options name', async () => {
      const id = givenId();
      const {_version} = await shops().create({id, address: {city: 'Bern'} as never});
      const address = shops().embedded('address');
      await assert.rejects(address.update(id, {city: 'Basel'}), VersionRequiredError);
      const stale = {version: 'stale'};
      await assert.rejects(address.update(id, {city: 'Basel'}, stale), VersionConflictError);
      await address.update(id, {street: 'Aare'}, {version: _version});
      const after = await shops().findById(id);
      assert.deepEqual({...after.address}, {city: 'Bern', street: 'Aare'});
      assert.notEqual(after._version, _version);
    });

    it('of a parent without behaviours is written as it is', async () => {
      const id = givenId();
      await notes().create({id, title: 't', address: {city: 'Bern'} as never});
      const address = notes().embedded('address');
      await address.update(id, {street: 'Aare'});
      await notes().replaceById(id, {title: 'u'});
      const note = await notes().findById(id);
      assert.deepEqual([note.title, {...note.address}], ['u', {city: 'Bern', street: 'Aare'}]);
      await address.delete(id);
      await assert.rejects(address.get(id), EntityNotFoundError);
    });
  });

  describe('at the same time', () => {
    it('of many writers with one version exactly one wins', async () => {
      const id = givenId();
      const chapters = ['c1', 'c2'].map(c => ({id: c, title: c}) as Chapter);
      const {_version} = await books().create({
        id, name: 'x', author: {name: 'a'} as Author, chapters,
      });
      const attempts = await Promise.allSettled(
        Array.from({length: crowd}, (_, i): Promise<unknown> => {
          const named = {_version, _parentVersion: _version};
          const title = `w${i}`;
          if (i % 3 === 0) return books().embedded('author').update(id, {name: title, ...named});
          const child = i % 3 === 1 ? 'c1' : 'c2';
          return books().embedded('chapters').update(id, child, {title, ...named});
        }),
      );
      const won = attempts.filter(({status}) => status === 'fulfilled');
      const reasons = attempts.flatMap(a => (a.status === 'rejected' ? [a.reason] : []));
      assert.equal(won.length, 1);
      const others = reasons.filter(reason => !(reason instanceof VersionConflictError));
      assert.deepEqual(others, []);
      assert.equal((await books().history(id)).length, 1);
    });

    it('who was overtaken between its read and its write is refused', async () => {
      const id = givenId();
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      const author = books().embedded('author');
      const write = books().updateById;
      books().updateById = async (...call) => {
        books().updateById = write;
        await author.update(id, {name: 'faster', _version});
        return write.apply(books(), call);
      };
      const slower = author.update(id, {name: 'slower', _version});
      await assert.rejects(slower, VersionConflictError);
      assert.equal((await author.get(id)).name, 'faster');
    });

    it('no child of a parent without versions is lost where rows lock', async function () {
      if (!transactions) return this.skip();
      const id = givenId();
      await notes().create({id});
      const reviews = notes().embedded('reviews');
      await Promise.all(
        Array.from({length: 20}, (_, i) => reviews.create(id, {id: i, text: `r${i}`})),
      );
      assert.equal((await reviews.get(id)).length, 20);
    });
  });

  describe('in a transaction', () => {
    it('is written with it, and not at all when it rolls back', async function () {
      if (!transactions) return this.skip();
      const id = givenId();
      const {_version} = await books().create({id, name: 'x', author: {name: 'a'} as Author});
      await notes().create({id, address: {city: 'Bern'} as never});
      const transaction = await books().beginTransaction('READ COMMITTED' as IsolationLevel);
      const options = {transaction};
      const author = books().embedded('author');
      const written = await author.update(id, {name: 'b', _version}, options);
      await author.update(id, {name: 'c', _version: written._version}, options);
      await notes().embedded('address').update(id, {city: 'Basel'}, options);
      assert.equal((await author.get(id, options)).name, 'c');
      await transaction.rollback();
      assert.equal((await author.get(id)).name, 'a');
      assert.equal((await notes().findById(id)).address?.city, 'Bern');
      assert.deepEqual(await books().history(id), []);
    });
  });
}

function views(library: () => Library) {
  return {
    books: () => library().books,
    shops: () => library().shops,
    notes: () => library().notes,
  };
}

/** Until the clock has moved on: some engines know no shorter time. */
async function nextMillisecond(): Promise<void> {
  for (const began = Date.now(); Date.now() === began; ) await nextTurn();
}
