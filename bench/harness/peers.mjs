import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {createHash} from 'node:crypto';
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** Installs the peers into a folder of the bench's own, unless these very versions are there. */
export async function installPeers(folder = 'peers') {
  const dir = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const stamp = `${dir}node_modules/.bench-stamp`;
  const lock = createHash('sha256').update(await readFile(`${dir}package-lock.json`)).digest('hex');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === lock) return;
  console.log(`installing the peers into bench/${folder} (once; one or two minutes) …`);
  await npm(dir, 'ci', '--no-audit', '--no-fund', '--loglevel=error');
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
