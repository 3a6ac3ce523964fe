import assert from 'node:assert/strict';
import {LoginAttempts, type Caller} from '../../../components/realtime/login-attempts';

const WINDOW = 5 * 60_000;

describe('login attempts', () => {
  let time: number;
  let attempts: LoginAttempts;

  beforeEach(() => {
    time = 0;
    attempts = new LoginAttempts(3, () => time);
  });

  it('are refused after so many failures, and earned back with time', async () => {
    for (let i = 0; i < 3; i++) await assert.rejects(fail(), /wrong/);
    await assert.rejects(succeed(), {code: 'TOO_MANY_ATTEMPTS', details: {retryAfter: 100}});
    time = WINDOW / 3;
    await succeed();
    await assert.rejects(fail(), /wrong/);
    await assert.rejects(succeed(), {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('cost nothing when they succeed', async () => {
    for (let i = 0; i < 10; i++) await succeed();
  });

  it('of one name are counted over connections, in whatever way it is written', async () => {
    await assert.rejects(fail({connection: 'a'}, {username: 'Ada'}), /wrong/);
    await assert.rejects(fail({connection: 'b'}, {username: ' ada '}), /wrong/);
    await assert.rejects(fail({connection: 'c'}, {email: 'ADA'}), /wrong/);
    await assert.rejects(fail({connection: 'd'}, {username: 'ada'}), {code: 'TOO_MANY_ATTEMPTS'});
    await succeed({connection: 'd'}, {username: 'ben'});
  });

  it('of one address, or of one name from many, are more, but not without end', async () => {
    for (let i = 0; i < 30; i++) {
      await assert.rejects(fail({connection: `c${i}`}, {username: `u${i}`}), /wrong/);
      await assert.rejects(fail({connection: `d${i}`, address: `10.0.0.${i}`}), /wrong/);
    }
    await assert.rejects(succeed({connection: 'x'}, {username: 'u'}), {code: 'TOO_MANY_ATTEMPTS'});
    await assert.rejects(succeed({connection: 'y', address: 'z'}), {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('are of every name that the credentials have, whichever the service goes by', async () => {
    for (const username of ['x', 'y', 'z']) {
      await assert.rejects(fail({connection: username}, {username, email: 'ada'}), /wrong/);
    }
    const refused = succeed({connection: 'w'}, {username: 'w', email: 'ada'});
    await assert.rejects(refused, {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('count from their beginning', async () => {
    let end: () => void = () => undefined;
    const waiting = new Promise<void>(resolve => (end = resolve));
    const open = [1, 2, 3].map(() => attempt(() => waiting));
    await assert.rejects(succeed(), {code: 'TOO_MANY_ATTEMPTS'});
    end();
    await Promise.all(open);
    await succeed();
  });

  it('without a name are counted too, and whatever a name is made of', async () => {
    for (const credentials of [{}, {username: 5}, {username: 'x'.repeat(1e5)}]) {
      await assert.rejects(fail({}, credentials), /wrong/);
    }
    await assert.rejects(succeed({}, {}), {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('are remembered in bounded memory', async () => {
    const few = new LoginAttempts(1000, () => time, 10);
    for (let i = 0; i < 100; i++) {
      const caller = {connection: `c${i}`, address: `a${i}`};
      await assert.rejects(few.attempt(caller, {username: `u${i}`}, wrong), /wrong/);
    }
    assert.equal((few as unknown as {failures: Map<string, unknown>}).failures.size, 10);
  });

  function attempt(
    login: () => Promise<void>,
    caller: Partial<Caller> = {},
    credentials: Readonly<Record<string, unknown>> = {username: 'ada'},
  ): Promise<void> {
    return attempts.attempt({connection: 'a', address: 'x', ...caller}, credentials, login);
  }

  function fail(caller?: Partial<Caller>, credentials?: Readonly<Record<string, unknown>>) {
    return attempt(wrong, caller, credentials);
  }

  function succeed(caller?: Partial<Caller>, credentials?: Readonly<Record<string, unknown>>) {
    return attempt(async () => undefined, caller, credentials);
  }
});

async function wrong(): Promise<never> {
  throw new Error('wrong');
}
