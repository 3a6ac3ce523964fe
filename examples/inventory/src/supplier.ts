import {setTimeout as sleep} from 'node:timers/promises';
import {Client} from 'pg';
import {runningDatabaseUrl} from './database';
import {readSettings} from './settings';

/*
 * The supplier: another program, which knows the database and nothing of this application. It
 * delivers and takes back goods through plain SQL, some transactions a second, and one in ten is
 * rolled back; that one must never be seen on a page.
 *
 * It changes `qty` and nothing else. It does not touch `_version`: a delivery adds to the quantity
 * whatever it is, so it cannot overwrite anybody, and a person who has the product open should be
 * able to go on editing its name. The other side of it: a person who sets the quantity itself, at
 * the moment of a delivery, is not told of a conflict. A program that wants stale edits to be
 * refused writes `SET qty = …, _version = gen_random_uuid()`, and that is all it takes.
 */

const CHANGES_PER_SECOND = 4;

/** One delivery, or one return, of one product by chance. Answers what became of it. */
export async function deliver(client: Client, chance = Math.random): Promise<string> {
  const amount = chance() < 0.5 ? 1 + Math.floor(chance() * 12) : -1 - Math.floor(chance() * 8);
  const rollBack = chance() < 0.1;
  await client.query('BEGIN');
  try {
    const {rows} = await client.query<{name: string; qty: number}>(
      `UPDATE product SET qty = greatest(0, qty + $1)
        WHERE id = (SELECT id FROM product WHERE _isdeleted IS NOT TRUE
                     ORDER BY random() LIMIT 1)
        RETURNING name, qty`,
      [amount],
    );
    await client.query(rollBack ? 'ROLLBACK' : 'COMMIT');
    if (!rows[0]) return 'no product to deliver';
    const what = `${amount > 0 ? '+' : ''}${amount} ${rows[0].name}`;
    return rollBack ? `rolled back: ${what}` : `${what} → ${rows[0].qty} in stock`;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function main(): Promise<void> {
  const url = process.env.SUPPLIER_DATABASE_URL ?? runningDatabaseUrl(readSettings());
  if (!url) {
    console.error("The inventory is not running: start it with 'npm start', then try again.");
    process.exitCode = 1;
    return;
  }
  const ending = new AbortController();
  const end = () => ending.abort();
  // `disconnect`: the server that started this process is gone.
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, end);
  const client = new Client({connectionString: url, application_name: 'inventory supplier'});
  client.on('error', end);
  await client.connect();
  console.log(`The supplier changes stock, about ${CHANGES_PER_SECOND} times a second. Ctrl-C ends it.`);
  while (!ending.signal.aborted) {
    const line = await deliver(client);
    if (!process.send) console.log(line);
    const pause = ((0.5 + Math.random()) * 1000) / CHANGES_PER_SECOND;
    await sleep(pause, undefined, {signal: ending.signal}).catch(() => undefined);
  }
  await client.end().catch(() => undefined);
  if (process.connected) process.disconnect();
}

if (require.main === module) {
  main().catch(error => {
    console.error(`The supplier stops: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  });
}
