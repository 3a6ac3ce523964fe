import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** The folder of the repository, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** Runs a command in `cwd` with this process's output; rejects when it fails. */
export function run(cwd, command, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {cwd, stdio: ['ignore', 'inherit', 'inherit']});
    child.on('error', reject);
    child.on('exit', code => {
      if (code === 0) resolve();
      else reject(new Error(`failed (${code}): ${[command, ...args].join(' ')}`));
    });
  });
}

/** Runs a script with this very Node. */
export function node(cwd, ...args) {
  return run(cwd, process.execPath, ...args);
}

/** Runs a command and gives back what it prints on its standard output. */
export function output(cwd, command, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {cwd, stdio: ['ignore', 'pipe', 'inherit']});
    const chunks = [];
    child.stdout.on('data', chunk => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`failed (${code}): ${[command, ...args].join(' ')}`));
    });
  });
}
