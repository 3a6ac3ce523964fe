import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {root} from './run.mjs';

const stampFile = join(root, '.build/stamps.json');
const notInputs = new Set(['node_modules', 'dist']);

/** All files below a folder (or the file itself), sorted, without what a build leaves there. */
export async function filesBelow(path) {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [];
  if (info.isFile()) return [path];
  const entries = (await readdir(path)).filter(name => !notInputs.has(name)).sort();
  const nested = await Promise.all(entries.map(name => filesBelow(join(path, name))));
  return nested.flat();
}

/** One hash of the names and contents of all files below the given paths of the repository. */
export async function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of await filesBelow(join(root, path))) {
      hash.update(relative(root, file)).update('\0').update(await readFile(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

/** The fingerprints of the last successful build, by step. */
export async function readStamps() {
  return JSON.parse(await readFile(stampFile, 'utf8').catch(() => '{}'));
}

export async function writeStamps(stamps) {
  await mkdir(dirname(stampFile), {recursive: true});
  await writeFile(stampFile, JSON.stringify(stamps, null, 2));
}

/**
 * Removes what the compiler made of sources that are gone: a test whose source was deleted would
 * run for ever, and a module would be published.
 */
export async function removeOrphans(outDir, srcDir) {
  const made = /\.(d\.ts|js|js\.map|d\.ts\.map)$/;
  for (const file of await everyFile(outDir)) {
    if (!made.test(file)) continue;
    const source = join(srcDir, relative(outDir, file).replace(made, ''));
    if (!['.ts', '.tsx', '.d.ts', '.json'].some(ext => existsSync(source + ext))) await rm(file);
  }
}

async function everyFile(dir) {
  if (!existsSync(dir)) return [];
  const entries = await readdir(dir, {recursive: true, withFileTypes: true});
  return entries.filter(e => e.isFile()).map(e => join(e.parentPath ?? e.path, e.name));
}
