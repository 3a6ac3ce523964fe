import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {createHash} from 'node:crypto';
import {createRequire} from 'node:module';
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const NODE_22 = createRequire(import.meta.url)('../peers/node22/package.json');

/** Installs the peers into folders of the bench's own, unless these very versions are there. */
export async function installPeers() {
  await installInto('peers');
  if (node22() === null) return;
  if (node22() !== process.execPath) await installInto('peers/node22', '--ignore-scripts');
  await installInto('peers/directus', '--ignore-scripts');
  await installInto('peers/zero', '--ignore-scripts');
}

/**
 * The Node.js 22 that some peers need: this one, if it is new enough, or the one that npm has.
 *
 * @returns null where there is none for this machine
 */
export function node22() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  if (!(`node-${platform}` in NODE_22.optionalDependencies)) return null;
  const binary = `../peers/node22/node_modules/node-${platform}/bin/node`;
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
