import assert from 'node:assert/strict';
import {Client} from 'pg';
import type {LiveClient, LiveCollection} from '../../client';
import type {SoftDeletableRepository} from '../../mixins/repository-methods';
import {CATEGORIES} from './oracle-views';
import type {Random} from './random';
import type {Product, ProductRepository} from './shop';

/** Ids are `p1` to `p200`, so that writers meet. */
export const IDS = 200;

/** One write, or one transaction of a few. A lost race against another writer is no error. */
export type Writer = (random: Random) => Promise<unknown>;

/** Through the repository: by id, with the version that was read. */
export function repositoryWriter(products: ProductRepository): Writer {
  return async random => {
    const id = someId(random);
    const row = await products.findOne({where: {id}});
    const write = !row
      ? random.chance(0.5)
        ? trashOf(products).restoreById(id)
        : products.create(someRow(random, id))
      : random.chance(0.15)
        ? products.deleteById(id, {version: row._version})
        : products.updateById(id, {...somePatch(random), _version: row._version});
    await (write as Promise<unknown>).catch(lostRace);
  };
}

/** The decorator gives the methods, and only the mixin their types. */
function trashOf(products: ProductRepository) {
  return products as unknown as SoftDeletableRepository<Product, string>;
}

/** Through the repository: many rows in a statement. */
export function bulkWriter(products: ProductRepository): Writer {
  return async random => {
    const category = someCategory(random);
    const qty = random.below(20);
    const write = random.chance(0.6)
      ? products.updateAll(somePatch(random), {category, qty: {between: [qty, qty + 2]}})
      : random.chance(0.3)
        ? products.deleteAll({category, qty})
        : products.createAll([someRow(random, someId(random)), someRow(random, someId(random))]);
    await (write as Promise<unknown>).catch(lostRace);
  };
}

/** Through the repository, in LoopBack's transactions, of which some are rolled back. */
export function transactionWriter(products: ProductRepository): Writer {
  return async random => {
    const transaction = await products.beginTransaction();
    try {
      for (const id of [someId(random), someId(random)].sort()) {
        await products.updateAll(somePatch(random), {id}, {transaction});
      }
      await (random.chance(0.3) ? transaction.rollback() : transaction.commit());
    } catch (error) {
      await transaction.rollback().catch(() => undefined);
      lostRace(error as Error);
    }
  };
}

/** Through the generated REST API. */
export function restWriter(url: () => string, token: () => string | undefined): Writer {
  return async random => {
    const id = someId(random);
    const headers = {authorization: `Bearer ${token()}`, 'content-type': 'application/json'};
    const found = await fetch(`${url()}/products/${id}`, {headers});
    const row = (await found.json()) as Product;
    const body = found.ok ? {...somePatch(random), _version: row._version} : someRow(random, id);
    const [method, path] = found.ok ? ['PATCH', `/products/${id}`] : ['POST', '/products'];
    const reply = await fetch(url() + path, {method, headers, body: JSON.stringify(body)});
    const {status} = reply;
    if (status < 300 || [404, 409, 412].includes(status)) return;
    throw Object.assign(new Error(await reply.text()), {code: `HTTP_${status}`});
  };
}

/** Over the socket, from a page as a person has it. */
export function socketWriter(client: LiveClient): Writer {
  const pages = CATEGORIES.map(category =>
    client.collection<Product>({
      type: 'Product', view: 'categoryView', viewParams: {category}, pageSize: 100,
    }),
  );
  return async random => {
    const page = pages[random.below(pages.length)];
    await page.ready;
    await socketWrite(page, random).catch(lostRace);
  };
}

function socketWrite(page: LiveCollection<Product>, random: Random): Promise<unknown> {
  const row = page.value[random.below(Math.max(page.value.length, 1))];
  if (!row || random.chance(0.1)) return page.create(someRow(random, someId(random)) as never);
  return random.chance(0.1) ? page.delete(row.id) : page.update(row.id, somePatch(random));
}

/** In plain SQL: transactions with savepoints, rolled back in part or whole. */
export async function sqlWriter(
  url: string,
): Promise<{write: Writer; end(): Promise<void>}> {
  let client: Client | undefined;
  const connection = async () => {
    if (client) return client;
    const fresh = new Client({connectionString: url});
    fresh.on('error', () => (client = undefined));
    await fresh.connect();
    return (client = fresh);
  };
  return {
    end: async () => client?.end(),
    write: async random => {
      const sql = await connection();
      try {
        await transaction(sql, random);
      } catch (error) {
        await sql.query('ROLLBACK').catch(() => (client = undefined));
        lostRace(error as Error);
      }
    },
  };
}

async function transaction(client: Client, random: Random): Promise<void> {
  const {name, qty, category} = somePatch(random);
  const ids = [someId(random), someId(random), someId(random)].sort();
  await client.query('BEGIN');
  await client.query(
    `UPDATE product SET name = coalesce($1, name), qty = coalesce($2, qty),
       category = coalesce($3, category) WHERE id = $4`,
    [name, qty, category, ids[0]],
  );
  await client.query('SAVEPOINT s');
  await client.query('UPDATE product SET qty = qty + 1 WHERE id = $1', [ids[1]]);
  if (random.chance(0.3)) await client.query('ROLLBACK TO s');
  if (random.chance(0.3)) await client.query('DELETE FROM product WHERE id = $1', [ids[2]]);
  if (random.chance(0.05)) {
    await client.query('UPDATE product SET qty = (qty + 1) % 20 WHERE category = $1',
      [someCategory(random)]);
  }
  await client.query(random.chance(0.25) ? 'ROLLBACK' : 'COMMIT');
}

const LOST_RACES = new Set([
  'VERSION_CONFLICT',
  'VERSION_REQUIRED',
  'ENTITY_NOT_FOUND',
  'UNIQUE_VIOLATION',
  '23505',
  '40P01',
]);

/** Somebody else was faster: a conflict, a row that has gone, or one that is there already. */
export function lostRace(error: Error & {code?: string}): void {
  if (!LOST_RACES.has(String(error.code))) throw error;
}

export function someCategory(random: Random): string {
  return CATEGORIES[random.below(CATEGORIES.length)];
}

function someId(random: Random): string {
  return `p${1 + random.below(IDS)}`;
}

function someRow(random: Random, id: string) {
  const name = `Product ${random.below(200)}`;
  return {id, name, qty: random.below(20), category: someCategory(random)};
}

function somePatch(random: Random): {name?: string; qty?: number; category?: string} {
  const which = random.below(4);
  if (which === 0) return {name: `Product ${random.below(200)}`};
  if (which === 1) return {category: someCategory(random)};
  return {qty: random.below(20)};
}

/** Fills the shop, so that pages are there to be watched. */
export function stock(query: (sql: string) => Promise<unknown>): Promise<unknown> {
  assert.ok(IDS > 40);
  return query(
    `INSERT INTO product (id, name, qty, category, _version)
     SELECT 'p' || n, 'Product ' || n, n % 20, 'c' || (n % 3 + 1), gen_random_uuid()::text
     FROM generate_series(1, ${IDS - 40}) n`,
  );
}
