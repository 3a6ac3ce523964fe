/** Removes everything that a build makes. The example's data stays: that is `npm run reset`. */
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {root} from './support/run.mjs';

const made = ['dist', '.build', 'examples/inventory/dist', 'examples/inventory/web/dist'];
for (const path of made) await rm(join(root, path), {recursive: true, force: true});
