import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {arch, availableParallelism, cpus, loadavg, platform, release, totalmem} from 'node:os';
import {fileURLToPath} from 'node:url';
import {node22} from './peers.mjs';

const require = createRequire(import.meta.url);
const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url));
const PEERS = [
  '@feathersjs/feathers', 'parse-server', 'loopback4-soft-delete', '@sourceloop/audit-log',
  '@47ng/cloak',
];
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the figures were measured on and with. */
export function describeEnvironment({version, settings}) {
  const changes = git('status', '--porcelain', 'src');
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') ?? 'unknown',
    uncommittedChanges: changes === undefined ? 'unknown' : changes !== '',
    system: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAtStart: Number(loadavg()[0].toFixed(1)),
    node: process.versions.node,
    postgresql: version,
    postgresqlSettings: settings,
    versions: Object.fromEntries([
      'loopback4-live-entities', '@loopback/repository', 'loopback-connector-postgresql',
      'loopback-datasource-juggler', 'pg', 'socket.io',
    ].map(name => [name, versionOf(require, name)])),
    peers: {
      ...Object.fromEntries(PEERS.map(name => [name, versionOf(requirePeer, name)])),
      directus: pinned('directus').directus,
      '@rocicorp/zero': pinned('zero')['@rocicorp/zero'],
      'Node.js (of Directus and Zero)': node22Version(),
    },
  };
}

/** What a folder of its own has, by the versions that it is pinned to. */
function pinned(folder) {
  const {dependencies, optionalDependencies} = requirePeer(`./${folder}/package.json`);
  return {...dependencies, ...optionalDependencies};
}

function node22Version() {
  const node = node22();
  if (node === null) return '(none)';
  if (node === process.execPath) return process.versions.node;
  return pinned('node22')[`node-${process.platform}-${process.arch}`];
}

/** The version of an installed package. */
function versionOf(from, name) {
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
    return '(not installed)';
  }
}

function git(...args) {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', args, {cwd: root, encoding: 'utf8', stdio}).trim();
  } catch {
    return undefined;
  }
}
