import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** A PostgreSQL server that runs on a data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/**
 * The server that runs on this data folder, whoever started it. After a crash of the machine, or
 * in a container where numbers start anew, the file may name a process that is something else:
 * then it is stale, and is removed so that PostgreSQL can start.
 */
export function runningPostmaster(clusterDir: string): Postmaster | undefined {
  const file = join(clusterDir, 'postmaster.pid');
  const lines = readIfThere(file)?.split('\n');
  if (!lines) return undefined;
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (isAlive(pid) && isPostgres(pid)) return {pid, port};
  rmSync(file, {force: true});
  return undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export async function waitForEnd(pid: number, milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(20)) {
    if (!isAlive(pid)) return true;
  }
  return !isAlive(pid);
}

/**
 * Ends the server: "fast" first, which closes sessions and writes everything down; after the time
 * "immediate", which leaves recovery to the next start.
 */
export async function endPostmaster(pid: number, milliseconds = 6000): Promise<void> {
  signal(pid, 'SIGINT');
  if (await waitForEnd(pid, milliseconds)) return;
  signal(pid, 'SIGQUIT');
  if (await waitForEnd(pid, 2000)) return;
  signal(pid, 'SIGKILL');
}

/**
 * Ends the database when this process ends without having done so (SIGKILL, a crash): a shell
 * waits on a pipe, and the pipe closes with the process. Not on Windows, which has no such shell;
 * there the next start takes the running database over.
 */
export function guard(postmasterPid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const child = spawn('/bin/sh', ['-c', `read _; kill -INT ${postmasterPid} 2>/dev/null`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined);
  child.unref();
  // The pipe must not keep this process running either.
  (child.stdin as unknown as {unref?(): void} | null)?.unref?.();
  return child;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function isPostgres(pid: number): boolean {
  if (process.platform === 'win32') return true;
  try {
    return /postgres/.test(
      readIfThere(`/proc/${pid}/comm`) ??
        execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], {encoding: 'utf8'}),
    );
  } catch {
    return false;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
