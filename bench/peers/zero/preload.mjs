/**
 * Loaded into each of zero-cache's processes before itself. It would listen on every address there
 * is, and its workers would stay when their parent is killed.
 */
import {Server} from 'node:net';

const {listen} = Server.prototype;

Server.prototype.listen = function (options, ...rest) {
  const isPort = typeof options?.port === 'number';
  return listen.call(this, isPort ? {...options, host: '127.0.0.1'} : options, ...rest);
};

process.once('disconnect', () => process.exit());
