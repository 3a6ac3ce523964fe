/**
 * Builds what has changed: the package, its browser client, the example's server and web page.
 *
 *     node scripts/build.mjs            one line a step
 *     node scripts/build.mjs --force    everything anew
 *
 * A step is skipped while the contents of its inputs are those of its last success.
 */
import {existsSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {fingerprint, readStamps, removeOrphans, writeStamps} from './support/files.mjs';
import {node, root} from './support/run.mjs';

const example = join(root, 'examples/inventory');
const manifests = ['package.json', 'package-lock.json'];

/** Steps in the order of their needs: those of one wave do not need each other. */
const waves = [
  [
    {
      name: 'package',
      inputs: ['src', 'tsconfig.json'],
      output: 'dist/index.js',
      async run() {
        await node(root, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
        await removeOrphans(join(root, 'dist'), join(root, 'src'));
      },
    },
  ],
  [
    {
      name: 'browser client',
      inputs: ['src/client', 'src/protocol', 'tsconfig.json', 'rolldown.config.mjs'],
      output: 'dist/client/index.mjs',
      async run() {
        const [{build: bundle}, {default: config}] = await Promise.all([
          import('rolldown'),
          import('../rolldown.config.mjs'),
        ]);
        await bundle(config);
        // Both forms of the client have one set of types, so that their classes are the same type.
        await writeFile(join(root, 'dist/client/index.d.mts'), "export * from './index.js';\n");
      },
    },
    {
      name: 'example server',
      inputs: ['examples/inventory/src', 'examples/inventory/tsconfig.json', 'src'],
      output: 'examples/inventory/dist/tsconfig.tsbuildinfo',
      async run() {
        await node(example, join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json');
        await removeOrphans(join(example, 'dist'), join(example, 'src'));
      },
    },
  ],
  [
    {
      name: 'web page',
      inputs: ['examples/inventory/web', 'src/client', 'src/protocol'],
      output: 'examples/inventory/web/dist/index.html',
      async run() {
        await node(example, vite(), 'build', '--config', 'web/vite.config.ts', '--logLevel', 'error');
      },
    },
  ],
];

/** Brings everything up to date. `say` is told of each step that had something to do. */
export async function build({force = false, say = console.log} = {}) {
  if (force) await rm(join(root, 'dist'), {recursive: true, force: true});
  const stamps = force ? {} : await readStamps();
  for (const wave of waves) await Promise.all(wave.map(step => runStep(step, stamps, say)));
}

async function runStep(step, stamps, say) {
  if (!existsSync(join(root, step.inputs[0]))) return;
  const stamp = await fingerprint([...step.inputs, ...manifests]);
  if (stamps[step.name] === stamp && existsSync(join(root, step.output))) return;
  const started = performance.now();
  await step.run();
  say(`built the ${step.name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  stamps[step.name] = stamp;
  await writeStamps(stamps);
}

/** npm puts Vite beside the example or at the root, as the other dependencies allow. */
function vite() {
  return [example, root].map(dir => join(dir, 'node_modules/vite/bin/vite.js')).find(existsSync);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build({force: process.argv.includes('--force')}).catch(error => {
    console.error(error.message);
    process.exit(1);
  });
}
