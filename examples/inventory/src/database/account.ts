import {readFileSync, statSync} from 'node:fs';
import {dirname} from 'node:path';

/** The account that PostgreSQL runs as; undefined: the one that runs this process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Started as root (a container, for instance), it runs as the
 * owner of the data that is already there, else as `postgres`, else as `nobody`. No account is
 * created: starting an example should not change the machine.
 */
export function accountFor(clusterDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return ownerOf(clusterDir) ?? accountNamed('postgres') ?? accountNamed('nobody');
}

function ownerOf(path: string): Account | undefined {
  const stat = statSync(path, {throwIfNoEntry: false});
  return stat && stat.uid !== 0 ? {uid: stat.uid, gid: stat.gid} : undefined;
}

function accountNamed(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(l => l.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? {uid: Number(uid), gid: Number(gid)} : undefined;
}

/** Whether the account can walk down to `path`: every folder above must let it through. */
export function canReach(path: string, account: Account): boolean {
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const stat = statSync(dir, {throwIfNoEntry: false});
    if (stat && !mayEnter(stat, account)) return false;
    if (dir === dirname(dir)) return true;
  }
}

function mayEnter(stat: {mode: number; uid: number; gid: number}, account: Account): boolean {
  if (stat.uid === account.uid) return (stat.mode & 0o100) !== 0;
  if (stat.gid === account.gid) return (stat.mode & 0o010) !== 0;
  return (stat.mode & 0o001) !== 0;
}
