import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {arch, availableParallelism, cpus, loadavg, platform, release, totalmem} from 'node:os';
import {fileURLToPath} from 'node:url';
import {SETTINGS} from './postgres.mjs';

const require = createRequire(import.meta.url);
const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url));
const PEERS = [
  '@feathersjs/feathers', 'parse-server', 'loopback4-soft-delete', '@sourceloop/audit-log',
  '@47ng/cloak',
];
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the figures were measured on and with. */
export function describeEnvironment(postgresVersion) {
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    uncommittedChanges: git('status', '--porcelain', 'src') !== '',
    system: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAtStart: Number(loadavg()[0].toFixed(1)),
    node: process.versions.node,
    postgresql: postgresVersion,
    postgresqlSettings: SETTINGS,
    versions: Object.fromEntries([
      'loopback4-live-entities', '@loopback/repository', 'loopback-connector-postgresql',
      'loopback-datasource-juggler', 'pg', 'socket.io',
    ].map(name => [name, versionOf(require, name)])),
    peers: {
      ...Object.fromEntries(PEERS.map(name => [name, versionOf(requirePeer, name)])),
      directus: requirePeer('./directus/package.json').dependencies.directus,
    },
  };
}

/** The version of an installed package, or undefined. */
export function versionOf(from, name) {
  for (const folder of from.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version;
    } catch {
      // It is not in this folder.
    }
  }
  try {
    return from(`${name}/package.json`).version;
  } catch {
    return undefined;
  }
}

function git(...args) {
  try {
    return execFileSync('git', args, {cwd: root, encoding: 'utf8'}).trim();
  } catch {
    return undefined;
  }
}
