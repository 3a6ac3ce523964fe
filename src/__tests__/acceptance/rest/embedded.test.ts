import assert from 'node:assert/strict';
import type {Client} from '@loopback/testlab';
import {givenPostgres18, type TestDatabase} from '../../support/databases';
import type {BookRepository} from '../../support/library';
import {givenLibraryApplication, type LibraryFixture} from '../../support/library-application';

for (const [where, givenDatabase] of [
  ['memory', async () => undefined],
  ['PostgreSQL 18', async () => (await givenPostgres18()).createDatabase('embedded_rest')],
] as const) {
  describe(`embedded entities over REST on ${where}`, function () {
    this.timeout(60_000);
    let database: TestDatabase | undefined;
    let fixture: LibraryFixture;
    let client: Client;
    let count = 0;
    let id = '';

    before(async () => {
      database = await givenDatabase();
      fixture = await givenLibraryApplication({database});
      client = fixture.client;
    });
    after(async () => {
      await fixture?.stop();
      await database?.drop();
    });
    beforeEach(() => {
      id = `B00${++count}`;
    });

    describe('the examples of oe-common-mixins', () => {
      it('go from The BFG to Roald Dahl', async () => {
        const author = {name: 'Roald', id: 'A001'};
        const bfg = await client.post('/books').send({name: 'The BFG', id, author}).expect(200);
        const first: string = bfg.body._version;
        assert.deepEqual(bfg.body.author, {...author, _version: first});

        const finger = {name: 'The Magic Finger', id, _version: first};
        await client.put(`/books/${id}`).send(finger).expect(204);
        const {body: book} = await client.get(`/books/${id}`).expect(200);
        assert.deepEqual([book.name, book._oldVersion], ['The Magic Finger', first]);
        assert.deepEqual(book.author, {...author, _version: first});

        const versions = {_version: first, _parentVersion: book._version};
        const answer = await client
          .post(`/books/${id}/author`)
          .send({name: 'Roald Dahl', id: 'A001', ...versions})
          .expect(200);
        const {body: after} = await client.get(`/books/${id}`).expect(200);
        assert.equal(answer.body._version, after._version);
        assert.equal(answer.body._parentVersion, book._version);
        assert.equal(after.author.name, 'Roald Dahl');
        assert.equal(after.author._version, after._version);
      });

      it('refuse a version that is stale or missing', async () => {
        await givenBook();
        const path = `/books/${id}/author`;
        await client.post(path).send({name: 'x', _version: 'stale'}).expect(409);
        await client.put(path).send({name: 'x'}).expect(428);
        await client.delete(path).expect(428);
      });
    });

    it('one child is created, read, replaced and deleted at its own address', async () => {
      const {_version} = (await client.post('/books').send({id, name: 'x'}).expect(200)).body;
      const path = `/books/${id}/author`;
      await client.get(path).expect(404);
      const data = {name: 'Ann', born: '1916-09-13T00:00:00.000Z'};
      const created = await client.post(path).send({...data, _parentVersion: _version}).expect(200);
      assert.equal(created.headers.etag, `"${created.body._version}"`);
      const got = await client.get(path).expect(200);
      assert.deepEqual([got.body.born, got.headers.etag], [data.born, created.headers.etag]);
      await client.get(path).set('If-None-Match', got.headers.etag).expect(304);
      const second = {name: 'Bea', _version: got.body._version};
      const replaced = await client.put(path).send(second).expect(200);
      assert.equal(replaced.body.born ?? null, null);
      await client.put(path).set('If-Match', got.headers.etag).send({name: 'c'}).expect(412);
      const third = await client
        .put(path).set('If-Match', replaced.headers.etag).send({name: 'Cat'}).expect(200);
      const version = third.body._version;
      await client.delete(path).query({_parentVersion: 'stale'}).expect(409);
      await client.delete(path).query({_parentVersion: version, _version: version}).expect(204);
      await client.get(path).expect(404);
      await client.get('/books/none/author').expect(404);
    });

    it('children of a list have addresses of their own', async () => {
      const chapters = [{id: 'c1', title: 'one'}, {id: 'c2', title: 'two'}];
      const book = await client.post('/books').send({id, name: 'x', chapters}).expect(200);
      const path = `/books/${id}/chapters`;
      const {body: listed} = await client.get(path).expect(200);
      assert.deepEqual(listed.map((c: {title: string}) => c.title), ['one', 'two']);
      const {body: one} = await client.get(`${path}/c1`).expect(200);
      assert.equal(one._version, book.body._version);
      const named = {_version: one._version, _parentVersion: book.body._version};
      const {body: renamed} = await client
        .put(`${path}/c1`).send({id: 'c1', title: 'I', ...named}).expect(200);
      const added = {title: 'three', _parentVersion: renamed._version};
      const {body: third} = await client.post(path).send(added).expect(200);
      assert.equal(third.id.length, 36);
      await client.get(`${path}/${third.id}`).expect(200);
      await client.post(path).send({...added, id: 'c1'}).expect(409);
      await client.get(`${path}/none`).expect(404);
      await client
        .delete(`${path}/c2`)
        .query({_version: one._version, _parentVersion: third._version})
        .expect(204);
      assert.equal((await client.get(path).expect(200)).body.length, 2);
    });

    it('a child is checked, on its own route and with its parent', async () => {
      const {_version} = await givenBook();
      const path = `/books/${id}/author`;
      for (const wrong of [{}, {name: ''}, {name: 1}, {name: 'x', shoes: 43}]) {
        await client.put(path).send({...wrong, _version}).expect(422);
        await client.post('/books').send({id: 'no', name: 'x', author: wrong}).expect(422);
      }
      await client.get('/books/no').expect(404);
    });

    it('a parent takes back what it has answered, but no other child', async () => {
      await givenBook();
      const {body: book} = await client.get(`/books/${id}`).expect(200);
      await client.put(`/books/${id}`).send({...book, name: 'y'}).expect(204);
      const {body: after} = await client.get(`/books/${id}`).expect(200);
      assert.deepEqual(after.author, book.author);
      const author = {...after.author, name: 'other'};
      const refused = await client.put(`/books/${id}`).send({...after, author}).expect(422);
      assert.equal(refused.body.error.code, 'EMBEDDED_WRITE');
    });

    it('a child without versions knows no _parentVersion; If-Match names the parent', async () => {
      const shop = {id, address: {city: 'Bern'}};
      const created = await client.post('/shops').send(shop).expect(200);
      const path = `/shops/${id}/address`;
      const _parentVersion = created.body._version;
      await client.put(path).send({city: 'Basel', _parentVersion}).expect(422);
      await client.put(path).send({city: 'Basel'}).expect(428);
      const {headers} = await client.get(path).expect(200);
      const put = await client
        .put(path).set('If-Match', headers.etag).send({city: 'Basel'}).expect(200);
      assert.deepEqual(put.body, {city: 'Basel'});
      await client.put(path).set('If-Match', headers.etag).send({city: 'Genf'}).expect(412);
      await client.delete(path).set('If-Match', put.headers.etag).expect(204);
      await client.post('/notes').send({id}).expect(200);
      await client.post(`/notes/${id}/address`).send({city: 'Bern'}).expect(200);
      await client.post(`/notes/${id}/address`).send({city: 'Bern'}).expect(409);
    });

    it('children of a deleted parent are not there', async () => {
      const {_version} = await givenBook();
      await client.delete(`/books/${id}/${_version}`).expect(200);
      await client.get(`/books/${id}/author`).expect(404);
      await client.put(`/books/${id}/author`).send({name: 'x', _version}).expect(404);
    });

    it('a child keeps in a PUT what its model hides, unless it is sent', async () => {
      const author = {name: 'a', address: 'hidden'};
      const created = await client.post('/books').send({id, name: 'x', author}).expect(200);
      const path = `/books/${id}/author`;
      const {body: child} = await client.get(path).expect(200);
      assert.equal(child.address, undefined);
      const put = await client.put(path).send({...child, name: 'b'}).expect(200);
      assert.equal(put.body.address, undefined);
      const stored = async () => {
        const books = await fixture.app.get<BookRepository>('repositories.Books');
        return (await books.findById(id)).author!;
      };
      assert.deepEqual([(await stored()).name, (await stored()).address], ['b', 'hidden']);
      assert.notEqual(put.body._version, created.body._version);
      const tag = put.headers.etag;
      await client.put(path).set('If-Match', tag).send({name: 'c', address: null}).expect(200);
      assert.equal((await stored()).address ?? null, null);
    });

    it('a child takes lists and * in If-Match as its parent does', async () => {
      const book = await givenBook();
      const path = `/books/${id}/author`;
      const any = {'If-Match': '*'};
      await client.put(path).set(any).send({name: 'b'}).expect(428);
      await client.delete(path).set(any).expect(428);
      await client.put('/books/none/author').set(any).send({name: 'b'}).expect(412);
      await client.put(path).set('If-Match', '"old", "older"').send({name: 'b'}).expect(412);
      const put = await client
        .put(path).set('If-Match', `"old", "${book._version}"`).send({name: 'b'}).expect(200);
      const stale = {name: 'c', _version: book._version};
      await client.put(path).set('If-Match', put.headers.etag).send(stale).expect(409);
      await client.put(path).set('If-Match', 'odd').send({name: 'c'}).expect(400);
      await client.delete(path).set('If-Match', `W/"x", ${put.headers.etag}`).expect(204);
      await client.delete(path).set(any).expect(412);
      await client.put(path).send({name: '\ud800', _version: 'x'}).expect(400);
    });

    async function givenBook() {
      const book = {id, name: 'x', author: {name: 'a'}};
      return (await client.post('/books').send(book).expect(200)).body;
    }
  });
}

describe('access to embedded entities over REST', () => {
  let fixture: LibraryFixture;
  afterEach(async () => fixture?.stop());

  it('is that to their parent: filters cut the child, too, and a scope hides it', async () => {
    fixture = await givenLibraryApplication({
      post: (req, next) => {
        const author = req.resource?.author as {born?: string} | undefined;
        const {role} = (req.principal ?? {}) as {role?: string};
        if (author && role !== 'clerk') delete author.born;
        if (req.resource?.name === 'secret') throw new Error('not for you');
        return next();
      },
      scope: ({role}) => (role === 'clerk' ? undefined : {id: {neq: 'hidden'}}),
    });
    const {client} = fixture;
    const clerk = await fixture.as('clerk');
    const guest = await fixture.as('guest');
    const author = {name: 'a', born: '1916-09-13T00:00:00.000Z'};
    for (const [id, name] of [['b', 'x'], ['hidden', 'x']]) {
      await client.post('/books').set(...clerk).send({id, name, author}).expect(200);
    }
    await client.get('/books/b/author').expect(401);
    await client.get('/books/hidden/author').set(...guest).expect(404);
    await client.put('/books/hidden/author').set(...guest).send({name: 'y'}).expect(404);
    await client.get('/books/hidden/author').set(...clerk).expect(200);
    const {body} = await client.get('/books/b/author').set(...guest).expect(200);
    assert.deepEqual([body.name, body.born], ['a', undefined]);
    const put = await client
      .put('/books/b/author').set(...guest).send({name: 'y', _version: body._version}).expect(200);
    assert.deepEqual([put.body.name, put.body.born], ['y', undefined]);
    const after = await client.get('/books/b/author').set(...clerk).expect(200);
    assert.deepEqual([after.body.name, after.body.born], ['y', author.born]);
  });
});
