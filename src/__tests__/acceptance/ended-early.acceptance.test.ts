import type {Interceptor} from '@loopback/core';
import assert from 'node:assert/strict';
import {givenPostgres18, type TestDatabase} from '../support/databases';
import {RawClient} from '../support/raw-client';
import {givenGate} from '../support/scripted-server';
import {Shop} from '../support/shop';

const PAGE = {type: 'Category', view: 'alphabeticalView', pageSize: 29};

describe('a page that ends before its subscription is answered', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let shop: Shop;
  let client: RawClient | undefined;
  const gate = givenGate();
  const joined = givenGate();

  before(async () => {
    database = await (await givenPostgres18()).createDatabase('ended_early');
    shop = new Shop(database, {limits: {rows: 35}});
    const slow: Interceptor = async ({methodName}, next) => {
      const reply = await next();
      if (methodName !== 'subscribe') return reply;
      joined.open();
      await gate.opened;
      return reply;
    };
    shop.interceptor(slow, {global: true, name: 'slow', group: 'slow'});
    await shop.migrateSchema();
    await shop.start();
    await database.query(
      `insert into category (id, name) select 'k' || n, 'n' || n from generate_series(10, 39) n`,
    );
  });
  after(async () => {
    client?.close();
    await shop?.shutDown();
    await database?.drop();
  });

  it('is refused with the reason of the end', async () => {
    client = await RawClient.connect(shop.url);
    const answer = client.call('subscribe', {ref: PAGE});
    await joined.opened;
    await database.query(
      `insert into category (id, name) select 'a' || n, 'a' || n from generate_series(100, 199) n`,
    );
    const {error} = (await client.event('ended')) as {error: {code: string}};
    gate.open();
    const {ok, error: reason} = await answer;
    assert.deepEqual([ok, reason?.code], [false, error.code]);
  });
});
