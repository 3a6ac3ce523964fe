/** The processes that a process has started: what they take, and their end. */
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';

/** Linux counts a process's time in these, whatever the kernel was built with. */
const TICK_MS = 10;

/** Milliseconds of CPU that the descendants of a process have taken so far, by their id. */
function cpuOfDescendants(of) {
  return new Map(descendants(of).map(({pid, cpuMs}) => [pid, cpuMs]));
}

/** Answers milliseconds of CPU that the descendants of a process have taken since the last call. */
export function cpuOfDescendantsSince(of = process.pid) {
  let before = new Map();
  return () => {
    const now = cpuOfDescendants(of);
    let sum = 0;
    for (const [pid, cpuMs] of now) sum += cpuMs - (before.get(pid) ?? 0);
    before = now;
    return sum;
  };
}

/** Ends all descendants, at once: what is left has nobody who would end it. */
export function killDescendants(of = process.pid) {
  for (const {pid} of descendants(of)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself in the meantime.
    }
  }
}

function descendants(of) {
  const all = process.platform === 'linux' ? readProcFs() : askPs();
  const found = [];
  const parents = new Set([of]);
  // A parent may stand behind its child in the list: ids start over at some time.
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const each of all) {
      if (parents.has(each.pid) || !parents.has(each.parent)) continue;
      parents.add(each.pid);
      found.push(each);
    }
  }
  return found;
}

function readProcFs() {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
    let stat;
    try {
      stat = readFileSync(`/proc/${name}/stat`, 'latin1');
    } catch {
      return [];
    }
    // The name of the program is in brackets, and may have blanks and brackets of its own.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system] = [fields[11], fields[12]].map(Number);
    return [{pid: Number(name), parent: Number(fields[1]), cpuMs: (user + system) * TICK_MS}];
  });
}

function askPs() {
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'time='];
  const text = execFileSync('ps', ['-A', ...columns], {encoding: 'utf8'});
  return text.trim().split('\n').map(line => {
    const [pid, parent, time] = line.trim().split(/\s+/);
    const seconds = time.split(/[-:]/).reduce((sum, part) => sum * 60 + Number(part), 0);
    return {pid: Number(pid), parent: Number(parent), cpuMs: seconds * 1000};
  });
}
