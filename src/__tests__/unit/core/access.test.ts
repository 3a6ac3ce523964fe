import assert from 'node:assert/strict';
import {FilterGuard, runFilter, type AccessFilter, type AccessRequest} from '../../../core/access';
import {CRUDBlockedError} from '../../../core/errors';

const REQUEST: AccessRequest = {
  principal: undefined,
  source: 'socketio',
  context: undefined,
  action: 'read',
  query: {type: 'Item', id: 1},
};

describe('an access filter', () => {
  const passing: [string, AccessFilter][] = [
    ['answers what next answers', (_, next) => next()],
    ['is asynchronous', async (_, next) => next()],
    ['calls next later, as the original filters did', (_, next) => void setImmediate(next)],
  ];
  for (const [what, filter] of passing) {
    it(`lets pass when it ${what}`, () => runFilter('pre', filter, REQUEST));
  }

  const blocking: [string, AccessFilter][] = [
    ['throws', () => { throw new Error('no'); }],
    ['rejects', async () => { throw new Error('no'); }],
    ['calls next with an error', (_, next) => next(new Error('no'))],
    ['calls next, and throws all the same', (_, next) => { next(); throw new Error('no'); }],
    ['answers without calling next', async () => undefined],
    ['never answers', () => new Promise(() => undefined)],
    ['never calls next', () => undefined],
    ['calls next before it is done, and never is', (_, next) => {
      next();
      return new Promise(() => undefined);
    }],
  ];
  for (const [what, filter] of blocking) {
    it(`blocks when it ${what}`, async () => {
      await assert.rejects(runFilter('post', filter, REQUEST, 20), error => {
        assert.ok(error instanceof CRUDBlockedError);
        assert.equal(error.type, 'post');
        assert.equal(error.statusCode, 403);
        return true;
      });
    });
  }
});

describe('the guard', () => {
  it('hands post filters a copy, so that nothing masked for one is sent to another', async () => {
    const row = {id: 1, price: 5, nested: {cost: 4}};
    const mask: AccessFilter = (req, next) => {
      delete req.resource!.price;
      (req.resource!.nested as {cost?: number}).cost = undefined;
      return next();
    };
    const guard = new FilterGuard({filters: new Map([['Item', {pre: [], post: [mask]}]])});
    assert.deepEqual(await guard.after(REQUEST, row), {id: 1, nested: {}});
    assert.deepEqual(row, {id: 1, price: 5, nested: {cost: 4}});
  });

  it('refuses where a filter is demanded and there is none', async () => {
    const guard = new FilterGuard({
      filters: new Map(), blockPreByDefault: true, blockPostByDefault: true,
    });
    await assert.rejects(guard.before(REQUEST), {code: 'CRUD_BLOCKED', type: 'pre'});
    await assert.rejects(guard.after(REQUEST, {}), {code: 'CRUD_BLOCKED', type: 'post'});
    assert.equal(guard.hasPost('Item'), true);
  });

  it('leaves out a row of which a post filter leaves nothing', async () => {
    const takeAll: AccessFilter = (req, next) => {
      req.resource = undefined;
      return next();
    };
    const guard = new FilterGuard({filters: new Map([['Item', {pre: [], post: [takeAll]}]])});
    await assert.rejects(guard.after(REQUEST, {id: 1}), {code: 'CRUD_BLOCKED', type: 'post'});
  });

  it('has the patience that it is given', async () => {
    const never: AccessFilter = () => new Promise(() => undefined);
    const filters = new Map([['Item', {pre: [never], post: [never]}]]);
    const guard = new FilterGuard({filters, filterTimeout: 20});
    await assert.rejects(guard.before(REQUEST), /in time/);
    await assert.rejects(guard.after(REQUEST, {id: 1}), /in time/);
  });

  it('asks all filters in turn, and stops at the first that refuses', async () => {
    const asked: string[] = [];
    const note = (name: string, passes: boolean): AccessFilter => (_, next) => {
      asked.push(name);
      return passes ? next() : next(new Error('no'));
    };
    const pre = [note('first', true), note('second', false), note('third', true)];
    const guard = new FilterGuard({filters: new Map([['Item', {pre, post: []}]])});
    await assert.rejects(guard.before(REQUEST), CRUDBlockedError);
    assert.deepEqual(asked, ['first', 'second']);
  });
});
