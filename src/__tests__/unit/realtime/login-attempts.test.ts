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

  it('cost nothing when nobody could look at them', async () => {
    const away = [{code: 'ECONNREFUSED'}, {code: 'DATABASE_UNAVAILABLE', statusCode: 503}];
    for (let i = 0; i < 10; i++) {
      const login = async () => {
        throw Object.assign(new Error('away'), away[i % 2]);
      };
      await assert.rejects(attempts.attempt({address: '10.0.0.1'}, {username: 'ada'}, login), /away/);
    }
    await succeed();
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

  it('count from their beginning: of many at once only a few are looked at', async () => {
    let looked = 0;
    const guesses = Array.from({length: 20}, () => attempt(async () => {
      looked++;
      await wrong();
    }));
    const codes = (await Promise.allSettled(guesses)).map(each => (
      each.status === 'rejected' && (each.reason as {code?: string}).code
    ));
    assert.equal(looked, 3);
    assert.equal(codes.filter(code => code === 'TOO_MANY_ATTEMPTS').length, 17);
  });

  it('that are right pass, however many come at once, and never more than may fail', async () => {
    const open: (() => void)[] = [];
    let [most, done] = [0, 0];
    const all = Array.from({length: 200}, (_, i) => {
      const who = {username: `u${i}`};
      const login = () => new Promise<void>(resolve => open.push(resolve));
      return attempt(login, {connection: `c${i}`}, who).then(() => done++);
    });
    while (done < all.length) {
      await settled();
      most = Math.max(most, open.length);
      open.shift()!();
      await settled();
    }
    // Ten times three of one address.
    assert.equal(most, 30);
  });

  it('begin in the order in which they came, where they wait for the same', async () => {
    const {answers, attemptAs} = givenOpen();
    const began: string[] = [];
    for (let i = 0; i < 3; i++) void attemptAs('ada', `${i}`);
    const waiting = [
      attempt(async () => void began.push('first'), {connection: 'w'}),
      attempt(async () => void began.push('second'), {connection: 'v'}),
    ];
    await settled();
    assert.deepEqual(began, []);
    // Another name does not wait for this one.
    await succeed({connection: 'o'}, {username: 'ben'});
    answers[0]();
    await Promise.all(waiting);
    assert.deepEqual(began, ['first', 'second']);
  });

  it('wait for each of their keys, one after the other', async () => {
    const {answers, attemptAs} = givenOpen();
    for (let i = 0; i < 3; i++) void attemptAs('ada', 'same');
    for (let i = 0; i < 3; i++) void attemptAs('ben', `b${i}`);
    let began = false;
    const login = async () => void (began = true);
    const waiting = attempt(login, {connection: 'same'}, {username: 'ben'});
    await settled();
    answers[0]();
    await settled();
    assert.equal(began, false);
    answers[3]();
    await waiting;
  });

  it('that wait are refused as soon as too many have failed', async () => {
    const {refusals, attemptAs} = givenOpen();
    const guesses = [0, 1, 2].map(i => attemptAs('ada', `${i}`));
    let looked = false;
    const waiting = attempt(async () => void (looked = true), {connection: 'w'});
    await settled();
    for (const refuse of refusals) refuse();
    await Promise.allSettled(guesses);
    await assert.rejects(waiting, {code: 'TOO_MANY_ATTEMPTS', details: {retryAfter: 100}});
    assert.equal(looked, false);
  });

  it('wait no more than so many, and not with a load of data', async () => {
    attempts = new LoginAttempts(3, () => time, undefined, 2);
    const {answers, attemptAs} = givenOpen();
    const open = [0, 1, 2].map(i => attemptAs('ada', `${i}`));
    const large = {username: 'ada', password: 'x'.repeat(5000)};
    await assert.rejects(succeed({connection: 'l'}, large), {code: 'TOO_MANY_ATTEMPTS'});
    const waiting = [succeed({connection: 'w'}), succeed({connection: 'v'})];
    const refusal = {code: 'TOO_MANY_ATTEMPTS', details: {retryAfter: 100}};
    await assert.rejects(succeed({connection: 'x'}), refusal);
    await settled();
    for (const answer of answers) answer();
    await Promise.all([...open, ...waiting]);
    await succeed({connection: 'l'}, large);
  });

  it('leave nothing behind when they are answered', async () => {
    const all = Array.from({length: 100}, (_, i) => (i % 7 === 0 ? fail : succeed)(
      {connection: `c${i % 20}`}, {username: `u${i % 10}`, email: `e${i % 3}`},
    ));
    await Promise.allSettled(all);
    const {allowance} = attempts as unknown as {allowance: Record<string, {size: number}>};
    assert.deepEqual([allowance.queues.size, allowance.underWay.size], [0, 0]);
  });

  it('without a name are counted too, and whatever a name is made of', async () => {
    for (const credentials of [{}, {username: 5}, {username: 'x'.repeat(1e5)}]) {
      await assert.rejects(fail({}, credentials), /wrong/);
    }
    await assert.rejects(succeed({}, {}), {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('under several names are as many attempts as names, of whoever makes them', async () => {
    const names = (i: number) => ({
      username: `a${i}`, email: `b${i}`, login: `c${i}`, user: `d${i}`, name: `e${i}`, id: `f${i}`,
    });
    // 30 of one address: the sixth name of the fifth attempt is the last.
    for (let i = 0; i < 5; i++) {
      await assert.rejects(fail({connection: `${i}`}, names(i)), /wrong/);
    }
    const more = succeed({connection: 'x'}, {username: 'somebody'});
    await assert.rejects(more, {code: 'TOO_MANY_ATTEMPTS'});
    await succeed({connection: 'y', address: 'elsewhere'}, {username: 'a1'});
  });

  it('under several names are possible also where an attempt may hardly fail', async () => {
    const strict = new LoginAttempts(1, () => time);
    const ada = {username: 'ada', email: 'ada@example.org'};
    const caller = {connection: 'a', address: 'x'};
    await assert.rejects(strict.attempt(caller, ada, wrong), /wrong/);
    const refused = strict.attempt(caller, ada, async () => undefined);
    await assert.rejects(refused, {code: 'TOO_MANY_ATTEMPTS'});
    time = 2 * WINDOW;
    await strict.attempt(caller, ada, async () => undefined);
  });

  it('of others keep nobody out of where they have signed in before', async () => {
    await succeed({connection: 'home', address: 'home'});
    for (let i = 0; i < 30; i++) {
      await assert.rejects(fail({connection: `d${i}`, address: `10.0.0.${i}`}), /wrong/);
    }
    const anew = succeed({connection: 'new', address: 'new'});
    await assert.rejects(anew, {code: 'TOO_MANY_ATTEMPTS'});
    await succeed({connection: 'home again', address: 'home'});
    // Who sits at the same address has no more attempts than before.
    for (let i = 0; i < 3; i++) {
      await assert.rejects(fail({connection: `h${i}`, address: 'home'}), /wrong/);
    }
    const guess = succeed({connection: 'h', address: 'home'});
    await assert.rejects(guess, {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('under several names make none of them known at an address', async () => {
    // Mallory has an account of her own, and names Ada beside it.
    const both = {username: 'mallory', email: 'ada'};
    await succeed({connection: 'm', address: 'hers'}, both);
    for (let i = 0; i < 30; i++) {
      await assert.rejects(fail({connection: `d${i}`, address: `10.0.0.${i}`}), /wrong/);
    }
    const guess = succeed({connection: 'n', address: 'hers'});
    await assert.rejects(guess, {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('from the addresses of one IPv6 network are from one place', async () => {
    const places = ['2001:db8::1', '2001:DB8:0:0::2', '2001:0db8:0:0:ffff:1:2:3'];
    for (const address of places) {
      await assert.rejects(fail({connection: address, address}), /wrong/);
    }
    const from = (address: string) => succeed({connection: 'x', address});
    await assert.rejects(from('2001:db8::4%eth0'), {code: 'TOO_MANY_ATTEMPTS'});
    await from('2001:db8::1:0:0:0:4');
    await from('2001:db8:1::4');
  });

  it('over IPv4 are from each address by itself, however it is written', async () => {
    for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '::FFFF:10.0.0.1']) {
      await assert.rejects(fail({connection: address, address}), /wrong/);
    }
    const same = succeed({connection: 'x', address: '10.0.0.1'});
    await assert.rejects(same, {code: 'TOO_MANY_ATTEMPTS'});
    await succeed({connection: 'x', address: '::ffff:10.0.0.2'});
  });

  it('are remembered in bounded memory', async () => {
    const few = new LoginAttempts(1000, () => time, 10);
    for (let i = 0; i < 100; i++) {
      const caller = {connection: `c${i}`, address: `a${i}`};
      await assert.rejects(few.attempt(caller, {username: `u${i}`}, wrong), /wrong/);
    }
    for (let i = 0; i < 100; i++) {
      await few.attempt({address: `a${i}`}, {username: `u${i}`}, async () => undefined);
    }
    const {allowance, known} = few as unknown as {
      allowance: {failures: {size: number}};
      known: {size: number};
    };
    assert.ok(allowance.failures.size <= 10 && known.size === 10);
  });

  /** Attempts that are under way until they are answered, one way or the other. */
  function givenOpen() {
    const answers: (() => void)[] = [];
    const refusals: (() => void)[] = [];
    const attemptAs = (username: string, connection: string) => attempt(
      () => new Promise((resolve, reject) => {
        answers.push(resolve);
        refusals.push(() => reject(new Error('wrong')));
      }),
      {connection},
      {username},
    );
    return {answers, refusals, attemptAs};
  }

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

/** Everything that can go on by itself has. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

async function wrong(): Promise<never> {
  throw new Error('wrong');
}
