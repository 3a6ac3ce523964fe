/**
 * `npm run check:package`: packs the package as `npm publish` would, and looks at the tarball as a
 * user meets it: what is in it, its manifest, its types under every module resolution, and whether
 * both entries load, as CommonJS and as ES modules.
 */
import assert from 'node:assert/strict';
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {build} from './build.mjs';
import {node, output, root, run} from './support/run.mjs';

const name = 'loopback4-live-entities';
const workshop = join(root, '.build/package');
// Below the repository, so that what the package needs is found in the repository's node_modules.
const installed = join(workshop, 'node_modules', name);

await build();
await rm(workshop, {recursive: true, force: true});
await mkdir(installed, {recursive: true});
const packed = JSON.parse(
  await output(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', workshop),
);
// npm 12 names the packages, npm 10 and 11 list them.
const [{filename, files, size, unpackedSize}] = Object.values(packed);
const tarball = join(workshop, filename);
await run(root, 'tar', '-xzf', tarball, '-C', installed, '--strip-components=1');

checkContents(files.map(file => file.path));
await checkSourceMaps(files.map(file => file.path));
await node(root, 'node_modules/publint/src/cli.js', tarball, '--strict');
await node(root, 'node_modules/@arethetypeswrong/cli/dist/index.js', tarball);
await checkEntries();
await checkClientSize();
const kilobytes = bytes => `${Math.round(bytes / 1024)} kB`;
console.log(
  `package: ${files.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`,
);

/** What a user needs, and nothing else. */
function checkContents(paths) {
  const wanted = /^(README\.md|LICENSE|package\.json|(dist|src)\/.+\.(d\.m?ts|m?js|m?js\.map|ts))$/;
  const unwanted = /__tests__|tsbuildinfo|\.test\.|tsconfig/;
  const stray = paths.filter(path => !wanted.test(path) || unwanted.test(path));
  assert.deepEqual(stray, [], 'files that no user needs');
  const needed = [
    'LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts',
    'dist/client/index.js', 'dist/client/index.d.ts', 'dist/client/index.mjs',
    'dist/client/index.d.mts', 'src/index.ts', 'src/client/index.ts',
  ];
  assert.deepEqual(needed.filter(path => !paths.includes(path)), [], 'files that are missing');
}

/** A debugger finds every source that a source map names. */
async function checkSourceMaps(paths) {
  for (const path of paths.filter(each => each.endsWith('.map'))) {
    const {sources} = JSON.parse(await readFile(join(installed, path), 'utf8'));
    for (const source of sources) {
      const found = join(path, '..', source);
      assert.ok(paths.includes(found), `${path} names ${found}, which is not in the package`);
    }
  }
}

/** The client is as small as the README says. */
async function checkClientSize() {
  const code = await readFile(join(installed, 'dist/client/index.mjs'));
  const kilobytes = gzipSync(code, {level: 9}).length / 1000;
  const readme = await readFile(join(installed, 'README.md'), 'utf8');
  const [, said] = /about (\d+) kB gzip/.exec(readme) ?? [];
  assert.ok(Math.abs(kilobytes - Number(said)) < 1, `the client has ${kilobytes} kB, not ${said}`);
}

/** Loads both entries both ways, each in a process of its own. */
async function checkEntries() {
  const names = entry => [
    ['names.cjs', `console.log(JSON.stringify(Object.keys(require('${entry}')).sort()))`],
    ['names.mjs', `import * as all from '${entry}';
      const extra = ['default', 'module.exports', '__esModule'];
      const names = Object.keys(all).filter(key => !extra.includes(key));
      console.log(JSON.stringify(names.sort()))`],
  ];
  for (const entry of [name, `${name}/client`]) {
    const [cjs, mjs] = await Promise.all(names(entry).map(([file, text]) => evaluate(
      `${entry.replaceAll('/', '-')}-${file}`, text)));
    assert.ok(JSON.parse(cjs).length > 0, `${entry} exports nothing`);
    assert.deepEqual(JSON.parse(mjs), JSON.parse(cjs), `${entry} differs between import and require`);
    console.log(`${entry}: ${JSON.parse(cjs).length} names, the same for import and require`);
  }
  const loaded = await evaluate('client-loads.cjs', `
    require('${name}/client');
    console.log(JSON.stringify(Object.keys(require.cache)))`);
  const foreign = JSON.parse(loaded).filter(path => /node_modules[\\/](@loopback|pg|loopback)/.test(
    path.replace(/node_modules[\\/]loopback4-live-entities/, '')));
  assert.deepEqual(foreign, [], 'the client loads what belongs to the server');
}

async function evaluate(file, text) {
  const path = join(workshop, file);
  await writeFile(path, text);
  return output(workshop, process.execPath, path);
}
