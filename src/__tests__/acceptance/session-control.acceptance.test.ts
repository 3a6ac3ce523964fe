import assert from 'node:assert/strict';
import type {AuthenticationStrategy} from '@loopback/authentication';
import type {Request} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {LiveClient} from '../../client';
import {LiveEntitiesBindings, LiveEntityError, type LoginService} from '../../index';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {givenGate} from '../support/scripted-server';
import {Shop, type Product} from '../support/shop';
import {until} from '../support/until';

const PAGE = {type: 'Product', view: 'categoryView', viewParams: {category: 'c1'}};

/** Knows people by their role, which can change while they are connected. */
class Staff implements LoginService {
  readonly roles = new Map<string, string>();
  /** Whether LoopBack's symbol alone says who somebody is. */
  saysNoId = false;

  async login({username, password}: Readonly<Record<string, unknown>>): Promise<UserProfile> {
    const role = this.roles.get(String(username));
    if (password !== 'secret' || !role) {
      throw new LiveEntityError('LOGIN_FAILED', 'wrong name or password', 401);
    }
    return this.profile(String(username), role);
  }

  async current(who: UserProfile): Promise<UserProfile | undefined> {
    const role = this.roles.get(who[securityId]);
    return role === undefined ? undefined : this.profile(who[securityId], role);
  }

  private profile(id: string, role: string): UserProfile {
    return this.saysNoId ? {[securityId]: id, role} : {[securityId]: id, id, role};
  }
}

describe('sessions, while people are connected', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  const staff = new Staff();
  let open: {close(): void}[];

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('sessions');
    shop = new Shop(database, {limits: {loginAttempts: 3}});
    shop.bind(LiveEntitiesBindings.LOGIN_SERVICE).to(staff);
    await shop.migrateSchema();
    await shop.start();
    const products = await shop.products();
    await products.create({
      id: 'a', name: 'Anvil', qty: 1, category: 'c1', supplierPrice: '9.50',
    });
  });
  after(async () => {
    await shop?.shutDown();
    await database?.drop();
  });
  beforeEach(() => {
    open = [];
    staff.saysNoId = false;
    for (const name of ['bea', 'ben', 'cleo']) {
      staff.roles.set(name, name.startsWith('b') ? 'buyer' : 'clerk');
    }
  });
  afterEach(() => open.forEach(each => each.close()));

  it('end at once when a person is revoked, and their tokens with them', async () => {
    const [ben, bea] = [await signedIn('ben'), await signedIn('bea')];
    for (const client of [ben, bea]) await client.call('subscribe', {ref: PAGE});
    const token = await tokenOf(ben);
    (await sessions()).revoke({userId: 'ben'});
    await ben.event('logout');
    const names = ben.names();
    assert.deepEqual(names.slice(names.indexOf('ended')), ['ended', 'logout']);
    await (await shop.products()).updateById('a', {qty: 2}, {bumpVersion: false});
    await bea.event('delta');
    assert.equal(ben.names().includes('delta'), false);

    assert.equal((await RawClient.refused(shop.url, {token})).code, 'NOT_AUTHENTICATED');
    assert.equal((await get('/products', token)).status, 401);
    assert.equal((await ben.call('read', PAGE)).error?.code, 'NOT_AUTHENTICATED');
    assert.equal((await signIn(ben, 'ben')).ok, true);
    assert.equal((await ben.call('read', PAGE)).ok, true);
  });

  it('end one by one when a token is revoked', async () => {
    const [first, second] = await Promise.all([signedIn('bea'), signedIn('bea')]);
    (await sessions()).revoke({token: await tokenOf(first)});
    await first.event('logout');
    assert.equal((await second.call('read', PAGE)).ok, true);
    const token = await tokenOf(second);
    assert.equal((await get('/products', token)).status, 200);
  });

  it('have a token each, though they begin in one moment', async () => {
    const tokens = await shop.get(LiveEntitiesBindings.TOKEN_SERVICE);
    const profile = {[securityId]: 'bea', id: 'bea'};
    const made = await Promise.all([1, 2, 3].map(() => tokens.generateToken(profile)));
    assert.equal(new Set(made).size, 3);
    assert.deepEqual(Object.keys(await tokens.verifyToken(made[0])), ['id']);
  });

  it('go on by another role when it has changed, and show nothing of the old one', async () => {
    const live = new LiveClient(shop.url);
    open.push(live);
    await live.login({username: 'ben', password: 'secret'});
    const view = live.collection<Product>(PAGE);
    await view.ready;
    assert.equal(view.value[0].supplierPrice, '9.50');
    const raw = await signedIn('ben');
    await raw.call('subscribe', {ref: PAGE});
    const token = await tokenOf(raw);
    raw.forget();

    staff.roles.set('ben', 'clerk');
    await (await sessions()).refresh('ben');
    await until(view, () => view.value.length === 1 && !('supplierPrice' in view.value[0]));
    assert.equal(live.user?.role, 'clerk');
    await raw.event('session');
    assert.deepEqual(raw.names(), ['ended', 'session']);
    await raw.call('subscribe', {ref: PAGE});
    const change = {supplierPrice: '10.25', qty: 5};
    await (await shop.products()).updateById('a', change, {bumpVersion: false});
    await raw.event('delta');
    await until(view, () => view.value[0].qty === 5);
    assert.doesNotMatch(raw.received, /supplierPrice|"9\.50"|"10\.25"/);
    assert.ok(!('supplierPrice' in view.value[0]));
    const rows = (await (await get('/products', token)).json()) as object[];
    assert.ok(rows.every(row => !('supplierPrice' in row)));
  });

  it('say nothing to those whose role is as it was', async () => {
    const cleo = await signedIn('cleo');
    await cleo.call('subscribe', {ref: PAGE});
    cleo.forget();
    await (await sessions()).refresh();
    assert.equal((await cleo.call('read', PAGE)).ok, true);
    assert.deepEqual(cleo.names(), ['answer']);
  });

  it('end when the person is not known any more', async () => {
    const cleo = await signedIn('cleo');
    await cleo.call('subscribe', {ref: PAGE});
    cleo.forget();
    staff.roles.delete('cleo');
    await (await sessions()).refresh('cleo');
    await cleo.event('logout');
    assert.deepEqual(cleo.names(), ['ended', 'logout']);
    assert.equal((await cleo.call('renew', {})).error?.code, 'NOT_AUTHENTICATED');
  });

  it('are judged by the role of now when they are renewed', async () => {
    const ben = await signedIn('ben');
    await ben.call('subscribe', {ref: PAGE});
    ben.forget();
    staff.roles.set('ben', 'clerk');
    const {user} = (await ben.call('renew', {})) as unknown as {user: {role: string}};
    assert.equal(user.role, 'clerk');
    assert.deepEqual(ben.names(), ['ended', 'answer']);
  });

  it('do not begin with what a refresh that came meanwhile has made old', async () => {
    const client = await connected();
    let roleIsRead: () => void = () => undefined;
    const reading = new Promise<void>(resolve => (roleIsRead = resolve));
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>(resolve => (goOn = resolve));
    const {login} = staff;
    staff.login = async credentials => {
      const profile = await login.call(staff, credentials);
      roleIsRead();
      await waiting;
      return profile;
    };
    try {
      const answer = signIn(client, 'ben');
      await reading;
      staff.roles.set('ben', 'clerk');
      await (await sessions()).refresh('ben');
      goOn();
      assert.equal(((await answer) as unknown as {user: {role: string}}).user.role, 'clerk');
    } finally {
      staff.login = login;
    }
  });

  it('are limited in how often a login may fail', async () => {
    const thief = await connected();
    for (let i = 0; i < 3; i++) {
      assert.equal((await signIn(thief, 'cleo', `guess ${i}`)).error?.code, 'LOGIN_FAILED');
    }
    for (const client of [thief, await connected()]) {
      const {error} = await signIn(client, 'cleo');
      assert.equal(error?.code, 'TOO_MANY_ATTEMPTS');
      assert.equal(error?.statusCode, 429);
      assert.ok(Number(error?.details?.retryAfter) > 0);
    }
    assert.equal((await signIn(await connected(), 'ben')).ok, true);
  });

  it('are limited although all guesses are sent at once', async () => {
    staff.roles.set('dora', 'clerk');
    const guesses = await Promise.all(
      Array.from({length: 20}, async (_, i) => signIn(await connected(), 'dora', `guess ${i}`)),
    );
    const codes = guesses.map(({error}) => error?.code);
    assert.equal(codes.filter(code => code === 'LOGIN_FAILED').length, 3);
    assert.equal(codes.filter(code => code === 'TOO_MANY_ATTEMPTS').length, 17);
  });

  it('are all let in who know their password, however many come at once', async () => {
    staff.roles.set('fay', 'clerk');
    const all = await Promise.all(
      Array.from({length: 50}, async () => signIn(await connected(), 'fay')),
    );
    assert.equal(all.filter(({ok}) => ok).length, 50);
  });

  it('are limited over REST and sockets together', async () => {
    staff.roles.set('emil', 'clerk');
    const all = await sessions();
    const address = '::ffff:127.0.0.1';
    const wrong = {username: 'emil', password: 'guess'};
    for (let i = 0; i < 2; i++) {
      await assert.rejects(all.login(wrong, {address}), {code: 'LOGIN_FAILED'});
    }
    const {user} = await all.login({username: 'emil', password: 'secret'}, {address});
    assert.equal(user.role, 'clerk');
    const client = await connected();
    assert.equal((await signIn(client, 'emil', 'guess')).error?.code, 'LOGIN_FAILED');
    assert.equal((await signIn(client, 'emil')).error?.code, 'TOO_MANY_ATTEMPTS');
    await assert.rejects(all.login(wrong, {address}), {code: 'TOO_MANY_ATTEMPTS'});
  });

  it('are of another person also where only the security id differs', async () => {
    staff.saysNoId = true;
    const client = await signedIn('ben');
    await client.call('subscribe', {ref: PAGE});
    assert.equal((await signIn(client, 'bea')).ok, true);
    const {error} = (await client.event('ended')) as {error: {code: string}};
    assert.equal(error.code, 'SESSION_CHANGED');
  });

  it('do not come back when somebody has signed out while they were being renewed', async () => {
    const client = await signedIn('ben');
    const judged = givenGate();
    const {current} = staff;
    staff.current = async who => {
      await judged.opened;
      return current.call(staff, who);
    };
    try {
      const renewed = client.call('renew', {});
      assert.equal((await client.call('logout', {})).ok, true);
      judged.open();
      assert.equal((await renewed).error?.code, 'SESSION_CHANGED');
      assert.equal((await client.call('read', PAGE)).error?.code, 'NOT_AUTHENTICATED');
    } finally {
      staff.current = current;
    }
  });

  it('can be checked by any strategy of @loopback/authentication', async () => {
    const strategy: AuthenticationStrategy = {
      name: 'keycards',
      async authenticate({headers}: Request) {
        const id = /^Bearer keycard-(\w+)$/.exec(headers.authorization ?? '')?.[1];
        return id ? ({[securityId]: id, id} as UserProfile) : undefined;
      },
    };
    shop.bind(LiveEntitiesBindings.AUTHENTICATION_STRATEGY).to(strategy);
    try {
      const card = await connected({token: 'keycard-ben'});
      const reply = await card.call('authenticate', {token: 'keycard-ben'});
      assert.equal((reply.user as UserProfile).role, 'buyer');
      assert.equal((await card.call('read', PAGE)).ok, true);
      assert.equal((await get('/products', 'keycard-ben')).status, 200);
      const {code} = await RawClient.refused(shop.url, {token: 'forged'});
      assert.equal(code, 'NOT_AUTHENTICATED');
    } finally {
      shop.unbind(LiveEntitiesBindings.AUTHENTICATION_STRATEGY);
    }
  });

  async function connected(auth?: object): Promise<RawClient> {
    const client = await RawClient.connect(shop.url, auth);
    open.push(client);
    return client;
  }

  async function signedIn(username: string): Promise<RawClient> {
    const client = await connected();
    assert.equal((await signIn(client, username)).ok, true);
    return client;
  }

  function signIn(client: RawClient, username: string, password = 'secret') {
    return client.call('login', {username, password});
  }

  async function tokenOf(client: RawClient): Promise<string> {
    return String((await client.call('renew', {})).token);
  }

  function get(path: string, token: string): Promise<Response> {
    return fetch(shop.url + path, {headers: {authorization: `Bearer ${token}`}});
  }

  function sessions() {
    return shop.get(LiveEntitiesBindings.SESSIONS);
  }
});
