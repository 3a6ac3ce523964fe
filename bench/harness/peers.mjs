import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {createHash} from 'node:crypto';
import {createRequire} from 'node:module';
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const DIRECTUS = createRequire(import.meta.url)('../peers/directus/package.json');

/** Installs the peers into folders of the bench's own, unless these very versions are there. */
export async function installPeers() {
  await installInto('peers');
  await installInto('peers/directus', '--ignore-scripts');
}

/**
 * The Node.js 22 that Directus needs: this one, if it is new enough, or the one that comes with it.
 *
 * @returns null where there is none for this machine
 */
export function nodeOfDirectus() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  if (!(`node-${platform}` in DIRECTUS.optionalDependencies)) return null;
  const binary = `../peers/directus/node_modules/node-${platform}/bin/node`;
  return fileURLToPath(new URL(binary, import.meta.url));
}

async function installInto(folder, ...flags) {
  const dir = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const stamp = `${dir}node_modules/.bench-stamp`;
  const lock = createHash('sha256').update(await readFile(`${dir}package-lock.json`)).digest('hex');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === lock) return;
  console.log(`installing the peers into bench/${folder} (once; one or two minutes) …`);
  await npm(dir, 'ci', '--no-audit', '--no-fund', '--loglevel=error', ...flags);
  await writeFile(stamp, lock);
}

function npm(cwd, ...args) {
  const shell = process.platform === 'win32';
  const child = spawn('npm', args, {cwd, shell, stdio: ['ignore', 'ignore', 'inherit']});
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`npm ${args[0]} failed in ${cwd} (${code})`));
    });
  });
}
