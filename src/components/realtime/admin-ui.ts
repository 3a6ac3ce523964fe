import type {Server} from 'socket.io';
import type {AdminUiConfig} from './types';

const PACKAGE = '@socket.io/admin-ui';
const BCRYPT_HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** What is used of the package; it is there only where somebody has installed it. */
interface AdminUi {
  instrument(server: Server, options: object): void;
}

/**
 * Makes what lets the admin page look at a server's sockets. The page sees the headers of their
 * handshakes, and in the mode `development` all that is sent.
 *
 * @throws Error when the package is not installed, or the password is not a bcrypt hash
 */
export function adminUi(
  {auth, namespace = '/admin', readonly = true, mode = 'production'}: AdminUiConfig,
  load: (name: string) => unknown = require,
): (server: Server) => void {
  if (!auth?.username || !BCRYPT_HASH.test(auth.password)) {
    throw new Error('realtime: adminUi.auth needs a username, and a password as a bcrypt hash');
  }
  const {instrument} = loaded(load);
  const options = {auth: {type: 'basic', ...auth}, namespaceName: namespace, readonly, mode};
  return server => instrument(server, options);
}

function loaded(load: (name: string) => unknown): AdminUi {
  try {
    return load(PACKAGE) as AdminUi;
  } catch (error) {
    if ((error as {code?: unknown}).code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(
      `realtime: adminUi is on, and ${PACKAGE} is not installed: npm install ${PACKAGE}`,
    );
  }
}
