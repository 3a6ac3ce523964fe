import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {cp, mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {dirname, join, relative, resolve} from 'node:path';
import {asModule, fromComments, fromMarkdown, type Sample} from './extract';
import {impliedImports, knownNames, ownNames} from './known-names';

const root = resolve(__dirname, '../../..').replace(/[\\/]\.build$/, '');
const contract = join(root, 'src/__tests__/types/samples');

/** How programs find modules: LoopBack's own way, Node's two, and that of bundlers. */
const resolutions = {
  node10: {module: 'commonjs', moduleResolution: 'node10', type: 'commonjs', docs: true},
  'node16 from CommonJS': {module: 'node16', moduleResolution: 'node16', type: 'commonjs'},
  'node16 from an ES module': {module: 'node16', moduleResolution: 'node16', type: 'module'},
  bundler: {module: 'esnext', moduleResolution: 'bundler', type: 'module', docs: true},
};

describe('the types of the built package', function () {
  this.timeout(120_000);
  let samples: Sample[];
  let known: ReadonlyMap<string, string>;

  before('read the samples', async () => {
    assert.ok(existsSync(join(root, 'dist/index.d.ts')), 'npm run build comes first');
    samples = await documented();
    known = knownNames(root);
  });

  for (const [name, resolution] of Object.entries(resolutions)) {
    const docs = 'docs' in resolution;
    it(`hold the contract${docs ? ' and the documentation' : ''} under ${name}`, async () => {
      const folder = join(root, '.build/samples', name.replaceAll(' ', '-'));
      await givenProject(folder, resolution, docs ? samples : [], known);
      assert.equal(await compile(folder), '');
    });
  }
});

/** Every sample of the Markdown documents and of the doc comments of the sources. */
async function documented(): Promise<Sample[]> {
  const documents = (await below('docs', '.md')).concat(
    (await readdir(root)).filter(name => name.endsWith('.md')),
  );
  const sources = (await below('src', '.ts')).filter(path => !path.includes('__tests__'));
  const read = (path: string) => readFile(join(root, path), 'utf8');
  const shown = documents.map(async path => fromMarkdown(path, await read(path)));
  const commented = sources.map(async path => fromComments(path, await read(path)));
  return (await Promise.all([...shown, ...commented])).flat();
}

async function below(folder: string, extension: string): Promise<string[]> {
  if (!existsSync(join(root, folder))) return [];
  const files = await readdir(join(root, folder), {recursive: true});
  return files.filter(name => name.endsWith(extension)).map(name => join(folder, name));
}

/** A project like that of a user: it finds the package by its name, above it in node_modules. */
async function givenProject(
  folder: string,
  {type, module, moduleResolution}: {type: string; module: string; moduleResolution: string},
  samples: readonly Sample[],
  known: ReadonlyMap<string, string>,
) {
  await rm(folder, {recursive: true, force: true});
  await cp(contract, join(folder, 'contract'), {recursive: true});
  await writeFile(join(folder, 'package.json'), JSON.stringify({name: 'samples', type}));
  const compilerOptions = {...userOptions, module, moduleResolution};
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions}));
  for (const sample of samples) {
    const document = sample.document.replace(/\.(md|ts)$/, '');
    const path = join(folder, document, sample.file ?? `line-${sample.line}.ts`);
    await mkdir(dirname(path), {recursive: true});
    const names = new Map([...(await namesBeside(sample, dirname(path))), ...known]);
    await writeFile(path, asModule(sample, impliedImports(sample.code, names)));
  }
}

/** The names of the source file that a sample is written in, from where it was built to. */
async function namesBeside({document}: Sample, from: string): Promise<[string, string][]> {
  if (!document.endsWith('.ts')) return [];
  const names = ownNames(await readFile(join(root, document), 'utf8'));
  const built = join(root, document.replace(/^src/, 'dist').replace(/\.ts$/, ''));
  return names.map(name => [name, relative(from, built)]);
}

/** What LoopBack's own generator sets for an application. */
const userOptions = {
  target: 'es2018',
  lib: ['es2022', 'dom'],
  strict: true,
  strictPropertyInitialization: false,
  useUnknownInCatchVariables: false,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  esModuleInterop: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
};

/** What the compiler complains about: nothing when all is well. */
function compile(folder: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return new Promise(done => {
    execFile(process.execPath, [tsc, '-p', folder], {cwd: root}, (error, stdout, stderr) => {
      done(error ? stdout + stderr || error.message : '');
    });
  });
}
