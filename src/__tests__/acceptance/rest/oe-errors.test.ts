import assert from 'node:assert/strict';
import {inject} from '@loopback/core';
import {post, param, RestBindings} from '@loopback/rest';
import type {Client} from '@loopback/testlab';
import {givenLibraryApplication, type LibraryFixture} from '../../support/library-application';
import type {BookRepository} from '../../support/library';

describe("errors: 'oe'", () => {
  let fixture: LibraryFixture;
  let client: Client;

  before(async () => {
    fixture = await givenLibraryApplication({
      component: {errors: 'oe'},
      errorWriter: {safeFields: ['hint']},
    });
    client = fixture.client;
    fixture.app.controller(RenameController);
  });
  after(async () => fixture.stop());

  it('answers a missing and a stale version as oe-common-mixins did, on every route', async () => {
    const book = {id: 'b', name: 'x', author: {name: 'a'}};
    const {body: made} = await client.post('/books').send(book).expect(200);
    const {_version} = made;
    await client.patch('/books/b').send({name: 'x2', _version}).expect(204);
    const calls = [
      client.patch('/books/b').send({name: 'y'}),
      client.patch('/books/b').send({name: 'y', _version: 'stale'}),
      client.put('/books/b').send({name: 'y'}),
      client.put('/books/b').send({name: 'y', _version: 'stale'}),
      client.put('/books/b').set('If-Match', '"stale"').send({name: 'y'}),
      client.put('/books/b').set('If-Match', '"stale", "staler"').send({name: 'y'}),
      client.patch('/books/b').set('If-Match', '*').send({name: 'y'}),
      client.patch('/books/b').set('If-Match', '*').send({name: 'y', _version: 'stale'}),
      client.delete('/books/b').set('If-Match', '"stale"'),
      client.post('/books/b/revert/1'),
      client.post('/books/b/revert/1').set('If-Match', '"stale"'),
      client.delete('/books/b/author'),
      client.delete('/books/b/author?_version=stale'),
      client.put('/books/b/author').set('If-Match', '"stale"').send({name: 'y'}),
      client.delete('/books/b'),
      client.delete('/books/b/stale'),
      client.put('/books/b/author').send({name: 'y'}),
      client.post('/books/b/author').send({name: 'y', _version: 'stale'}),
      client.post('/rename/b'),
    ];
    for (const call of calls) {
      const {body} = await call.expect(422);
      const {message, details, ...error} = body.error;
      assert.deepEqual(error, {
        statusCode: 422,
        name: 'Data Error',
        type: 'DataModifiedError',
        code: 'DATA_ERROR_071',
        retriable: false,
      });
      assert.match(message, /version/);
    }
  });

  it('leaves every other error as it is', async () => {
    await client.get('/books/none').expect(404);
    const absent = await client.delete('/books/none').set('If-Match', '*').expect(412);
    assert.equal(absent.body.error.code, 'PRECONDITION_FAILED');
    await client.delete('/books/none').set('If-Match', 'odd').expect(400);
    const {body} = await client.post('/books').send({id: 'c'}).expect(422);
    assert.equal(body.error.code, 'VALIDATION_FAILED');
  });

  it('says so in the OpenAPI document', async () => {
    const {body} = await client.get('/openapi.json').expect(200);
    const of = (verb: string, path: string) => Object.keys(body.paths[path][verb].responses).join();
    assert.equal(of('delete', '/books/{id}'), '204,400,401,404,412,422');
    assert.equal(of('delete', '/books/{id}/{version}'), '200,400,401,404,422');
    assert.equal(of('post', '/books/{id}/restore'), '200,400,401,404,409,412,422');
    assert.equal(of('get', '/books/{id}'), '200,304,400,401,404');
    assert.doesNotMatch(JSON.stringify(body.paths), /"428"/);
  });

  it("keeps the application's own options of the error writer", async () => {
    const options = await fixture.app.get(RestBindings.ERROR_WRITER_OPTIONS);
    assert.deepEqual(options.safeFields, ['hint', 'type', 'retriable']);
  });
});

/** A controller that the application has written itself. */
class RenameController {
  constructor(@inject('repositories.Books') private readonly books: BookRepository) {}

  @post('/rename/{id}')
  async rename(@param.path.string('id') id: string): Promise<void> {
    await this.books.updateById(id, {name: 'renamed'}, {version: 'stale'});
  }
}
