import {InventoryApplication} from '../../application';
import {readCatalogue} from '../../catalogue';
import {openDatabase, type Database} from '../../database';
import {readSecrets} from '../../secrets';
import {seed} from '../../seed';
import {givenDataDir} from './server';

export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks at whatever it is
  readonly body: any;
}

export interface Call {
  readonly as?: 'ada' | 'ben' | 'cleo';
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** The inventory on an embedded database of its own, for the tests of a suite. */
export class GivenInventory {
  app: InventoryApplication;
  database: Database;
  private readonly tokens = new Map<string, string>();

  async token(who: string): Promise<string> {
    const known = this.tokens.get(who);
    if (known) return known;
    const roles: Record<string, string> = {ada: 'manager', ben: 'buyer', cleo: 'clerk'};
    const body = {username: who, password: `${who}-${roles[who]}`};
    const {token} = (await this.call('POST', '/login', {body})).body;
    this.tokens.set(who, token);
    return token;
  }

  /** Calls the REST API over HTTP. */
  async call(method: string, path: string, {as, body, headers}: Call = {}): Promise<Answer> {
    const response = await fetch(`${this.app.url}${path}`, {
      method,
      headers: {
        ...(as ? {authorization: `Bearer ${await this.token(as)}`} : {}),
        ...(body ? {'content-type': 'application/json'} : {}),
        ...headers,
      },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    const etag = response.headers.get('etag');
    return {status: response.status, etag, body: isJson && text ? JSON.parse(text) : text};
  }

  async open(dataDir: string): Promise<void> {
    this.database = await openDatabase({host: '127.0.0.1', port: 0, dataDir});
    this.app = new InventoryApplication({
      host: '127.0.0.1',
      port: 0,
      databaseUrl: this.database.url,
      secrets: readSecrets(dataDir),
      showPeople: true,
    });
    await this.app.boot();
    await this.app.migrateSchema();
    await seed(await this.app.repositories(), readCatalogue());
    await this.app.start();
  }

  async close(): Promise<void> {
    await this.app?.stop();
    await this.database?.close();
  }
}

/** Starts an inventory before the tests of the suite, and stops it after them. */
export function givenInventory(): GivenInventory {
  const dataDir = givenDataDir().path;
  const inventory = new GivenInventory();
  before(async function () {
    this.timeout(90_000);
    await inventory.open(dataDir);
  });
  after(async function () {
    this.timeout(30_000);
    await inventory.close();
  });
  return inventory;
}
