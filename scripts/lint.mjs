/** `npm run lint`: style and import directions, then what only a compiler sees. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {node, root} from './support/run.mjs';

const bin = path => join(root, 'node_modules', path);
const arguments_ = process.argv.slice(2);

const checks = [
  ['rules', bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0', '--cache',
    '--cache-location', '.build/eslint/', ...arguments_],
  ['the client without Node', bin('typescript/bin/tsc'), '-p', 'src/client/tsconfig.json'],
  ['the web page', bin('vue-tsc/bin/vue-tsc.js'), '--noEmit', '-p', 'examples/inventory/web'],
];

let failed = false;
for (const [name, script, ...args] of checks) {
  if (!existsSync(script)) throw new Error(`${script} is missing: run npm ci`);
  try {
    await node(root, script, ...args);
    console.log(`lint: ${name}: well`);
  } catch {
    console.error(`lint: ${name}: see above`);
    failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
