import {juggler} from '@loopback/repository';
import {Context} from '@loopback/core';
import type {LiveClient} from '../../client';
import {LiveEntitiesBindings} from '../../index';
import type {TestDatabase} from './databases';
import {
  bulkWriter, repositoryWriter, restWriter, socketWriter, sqlWriter, stock, transactionWriter,
  type Writer,
} from './oracle-writers';
import type {Random} from './random';
import {ProductRepository} from './shop';

/** Writers of every kind, in another process than the server, that outlive its faults. */
export interface Mixed {
  stock(): Promise<unknown>;
  write(random: Random, count: number): Writing;
  /** Something breaks and is mended: writers that fail meanwhile wait for its end. */
  during(fault: () => Promise<void>): Promise<void>;
  end(): Promise<void>;
}

export class Writing {
  isDone = false;
  private written = 0;
  private readonly waiting = new Map<() => void, number>();
  readonly done: Promise<void>;

  constructor(writers: readonly ((count: () => void) => Promise<void>)[]) {
    const one = () => this.one();
    this.done = Promise.all(writers.map(writer => writer(one)))
      .then(() => undefined)
      .finally(() => this.end());
    // Reported by whoever awaits it.
    this.done.catch(() => undefined);
  }

  /** Resolves once so much has been written, or nothing more will be. */
  reached(count: number): Promise<void> {
    if (this.isDone || this.written >= count) return Promise.resolve();
    return new Promise(resolve => this.waiting.set(resolve, count));
  }

  private one(): void {
    this.written++;
    for (const [resolve, count] of this.waiting) if (this.written >= count) this.wake(resolve);
  }

  private end(): void {
    this.isDone = true;
    for (const resolve of this.waiting.keys()) this.wake(resolve);
  }

  private wake(resolve: () => void): void {
    this.waiting.delete(resolve);
    resolve();
  }
}

export async function givenMixed(
  database: TestDatabase,
  server: {readonly url: string},
  client: LiveClient,
): Promise<Mixed> {
  const dataSource = new juggler.DataSource({
    name: 'db', connector: 'postgresql', ...database.config, onError: 'ignore',
  });
  const products = new ProductRepository(dataSource);
  (products as unknown as {liveContext: Context}).liveContext = cryptoContext();
  const sql = await sqlWriter(database.url);
  const kinds: readonly Writer[] = [
    repositoryWriter(products),
    bulkWriter(products),
    transactionWriter(products),
    restWriter(() => server.url, () => client.token),
    socketWriter(client),
    sql.write,
  ];
  let calm: Promise<void> = Promise.resolve();
  let isCalm = true;
  let faults = 0;
  return {
    stock: () => stock(text => database.query(text)),
    write: (random, count) =>
      new Writing(
        kinds.map(write => {
          const own = random.fork();
          return async written => {
            for (let i = 0; i < count / kinds.length; i++) {
              const faultsBefore = faults;
              await write(own).catch(error => {
                // What failed while nothing was broken is a finding.
                if (isCalm && faults === faultsBefore && !isAftermath(error)) throw error;
                return calm;
              });
              written();
            }
          };
        }),
      ),
    during: async fault => {
      isCalm = false;
      faults++;
      calm = fault();
      await calm.finally(() => (isCalm = true));
    },
    end: async () => {
      client.close();
      await sql.end();
      await dataSource.disconnect();
    },
  };
}

/**
 * A connection of before the fault is found out to be dead by whoever uses it next, also over
 * the network that the test cuts.
 */
function isAftermath(error: Error & {code?: string; cause?: unknown}): boolean {
  const text = `${error.code} ${error.message} ${String(error.cause)}`;
  return /CONNECTION_LOST|ECONN|EPIPE|terminat|closed|socket hang up|57P0|HTTP_50/i.test(text);
}

function cryptoContext(): Context {
  const context = new Context();
  const secret = Buffer.alloc(32, 7).toString('base64');
  context.configure(LiveEntitiesBindings.CRYPTO).to({keys: [{id: 'k1', secret}], current: 'k1'});
  return context;
}
