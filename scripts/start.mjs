/** `npm start`: builds what is not built, then runs the inventory in this very process. */
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {build} from './build.mjs';
import {root} from './support/run.mjs';

const started = performance.now();
const late = setTimeout(() => console.log('Building (only the first time takes long) …'), 400);
try {
  await build({say: line => console.log(`  ${line}`)});
} catch (error) {
  console.error(`The build failed: ${error.message}`);
  process.exit(1);
} finally {
  clearTimeout(late);
}
const seconds = (performance.now() - started) / 1000;
if (seconds > 1) console.log(`  ready to start after ${seconds.toFixed(0)} s\n`);

// In-process, so that Ctrl-C reaches the server itself and no process stands between.
const require = createRequire(import.meta.url);
process.argv[1] = require.resolve(join(root, 'examples/inventory'));
require(process.argv[1]);
