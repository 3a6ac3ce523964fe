import assert from 'node:assert/strict';
import {isInternal, toWireError} from '../../../adapters/socketio/wire-error';
import {LiveEntityError} from '../../../core/errors';

describe('what a client is told of an error of the database', () => {
  const quoting = 'invalid input syntax for type integer: "4111 1111 1111 1111"';
  const cases = [
    ['22P02', undefined, 400, 'INVALID_VALUE'],
    ['22003', undefined, 400, 'INVALID_VALUE'],
    ['23502', undefined, 422, 'CONSTRAINT_VIOLATION'],
    ['23514', 'qty_is_positive', 422, 'CONSTRAINT_VIOLATION'],
    ['23503', 'product_category', 409, 'REFERENCE_VIOLATION'],
    ['23505', 'product_pkey', 409, 'UNIQUE_VIOLATION'],
    ['ER_DUP_ENTRY', undefined, 409, 'UNIQUE_VIOLATION'],
  ] as const;
  for (const [state, constraint, statusCode, code] of cases) {
    it(`says ${code} for ${state}, without values`, () => {
      const error = toWireError(Object.assign(new Error(quoting), {code: state, constraint}));
      assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
      assert.equal(isInternal(error), false);
      assert.doesNotMatch(JSON.stringify(error), /4111/);
      if (constraint) assert.match(error.message, new RegExp(constraint));
    });
  }

  const ofMariaDb = [
    ['ER_DATA_TOO_LONG', 1406, '22001', 400, 'INVALID_VALUE'],
    ['WARN_DATA_TRUNCATED', 1265, '01000', 400, 'INVALID_VALUE'],
    ['ER_BAD_NULL_ERROR', 1048, '23000', 422, 'CONSTRAINT_VIOLATION'],
    ['ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE', 4025, '23000', 422, 'CONSTRAINT_VIOLATION'],
    ['ER_ROW_IS_REFERENCED_2', 1451, '23000', 409, 'REFERENCE_VIOLATION'],
    ['ER_DUP_ENTRY', 1062, '23000', 409, 'UNIQUE_VIOLATION'],
    ['ER_LOCK_DEADLOCK', 1213, '40001', 500, 'INTERNAL_ERROR'],
    ['ER_NO_SUCH_TABLE', 1146, '42S02', 500, 'INTERNAL_ERROR'],
  ] as const;
  for (const [state, errno, sqlState, statusCode, code] of ofMariaDb) {
    it(`says ${code} for ${state}, whatever status the connector gives it`, () => {
      const given = {code: state, errno, sqlState, statusCode: statusCode === 500 ? 500 : 422};
      const error = toWireError(Object.assign(new Error(quoting), given));
      assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
      assert.doesNotMatch(JSON.stringify(error), /4111/);
    });
  }

  for (const state of ['42P01', '57014', '40001', 'ECONNREFUSED', '2200']) {
    it(`says only that something failed for ${state}`, () => {
      const error = toWireError(Object.assign(new Error(quoting), {code: state}));
      assert.deepEqual([error.statusCode, error.code], [500, 'INTERNAL_ERROR']);
      assert.doesNotMatch(JSON.stringify(error), /4111/);
    });
  }

  it('keeps the status that an error has of its own', () => {
    const error = Object.assign(new Error('taken'), {code: '23505', statusCode: 412});
    assert.equal(toWireError(error).statusCode, 412);
  });
});

describe('what a client is told of an error of the application', () => {
  it('leaves out details that JSON cannot carry, and says the rest', () => {
    const circle: Record<string, unknown> = {};
    circle.itself = circle;
    for (const details of [{count: 5n}, circle, {call: () => undefined}, [1], 'text']) {
      const error = Object.assign(new Error('taken'), {statusCode: 409, code: 'TAKEN', details});
      const told = toWireError(error);
      assert.deepEqual(told, {
        code: 'TAKEN', message: 'taken', statusCode: 409, details: undefined,
      });
    }
  });

  it('has the details that JSON carries', () => {
    const details = {retryAfter: 5, at: new Date(0)};
    const error = new LiveEntityError('RATE_LIMITED', 'later', 429, details);
    const at = '1970-01-01T00:00:00.000Z';
    assert.deepEqual(toWireError(error).details, {retryAfter: 5, at});
  });
});
