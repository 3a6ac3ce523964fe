import {Server, Socket} from 'node:net';

const PATIENCE = 20_000;

/**
 * A run that is over but does not end has left something open: a pool, a socket, a server. It says
 * what, and fails. The timer alone keeps nothing running.
 */
export const mochaHooks = {
  afterAll(): void {
    setTimeout(fail, PATIENCE).unref();
  },
};

function fail(): void {
  const open = [...process.getActiveResourcesInfo(), ...connections()];
  console.error(`The tests are over, but this is still open: ${open.join(', ')}`);
  // Mocha sets its own code when the process exits.
  process.on('exit', () => (process.exitCode = 1));
  process.exit();
}

/** Node has no public list of them that says where they lead. */
function connections(): string[] {
  const {_getActiveHandles: handles} = process as unknown as {_getActiveHandles?(): unknown[]};
  return (handles?.() ?? []).flatMap(handle => {
    if (handle instanceof Socket && handle.remotePort !== undefined) {
      return [`a connection to ${handle.remoteAddress}:${handle.remotePort}`];
    }
    return handle instanceof Server ? [`a server at ${JSON.stringify(handle.address())}`] : [];
  });
}
