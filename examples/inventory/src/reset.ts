import {rmSync} from 'node:fs';
import {clusterDirOf, homeOutside} from './database/cluster';
import {runningPostmaster} from './database/postmaster';
import {readSettings} from './settings';

/** Deletes the embedded database with everything in it; the next start makes a new one. */
function main(): void {
  const {dataDir, databaseUrl} = readSettings();
  if (databaseUrl) {
    console.error('DATABASE_URL is set: a database of your own is yours to reset.');
    process.exitCode = 1;
    return;
  }
  if (runningPostmaster(clusterDirOf(dataDir))) {
    console.error('The inventory is running: stop it first (Ctrl-C), then reset.');
    process.exitCode = 1;
    return;
  }
  for (const folder of [dataDir, homeOutside(dataDir)]) {
    rmSync(folder, {recursive: true, force: true});
  }
  console.log(`Deleted ${dataDir}. The next start makes a new database.`);
}

main();
