/** The peer Parse Server 9 with LiveQuery, on PostgreSQL. */
import {createServer} from 'node:http';
import {freePort} from '../harness/ports.mjs';
import {CONNECTIONS, serveLive} from '../subjects/live-server.mjs';
import express from 'express';
import {ParseServer} from 'parse-server';

serveLive(async databaseURI => {
  const port = await freePort();
  const serverURL = `http://127.0.0.1:${port}/parse`;
  const server = new ParseServer({
    databaseURI: `${databaseURI}?max=${CONNECTIONS}`,
    serverURL,
    appId: 'bench',
    masterKey: 'bench',
    allowCustomObjectId: true,
    directAccess: true,
    enforcePrivateUsers: true,
    silent: true,
    logsFolder: null,
    liveQuery: {classNames: ['Product']},
    schema: {
      definitions: [{
        className: 'Product',
        fields: {
          name: {type: 'String'}, category: {type: 'String'},
          qty: {type: 'Number'}, price: {type: 'Number'},
        },
        classLevelPermissions: {
          find: {'*': true}, get: {'*': true}, create: {'*': true}, count: {'*': true},
        },
      }],
    },
  });
  await server.start();
  const app = express();
  app.use('/parse', server.app);
  const httpServer = createServer(app);
  await new Promise(resolve => httpServer.listen(port, '127.0.0.1', resolve));
  await ParseServer.createLiveQueryServer(httpServer);
  const {Parse} = globalThis;
  Parse.allowCustomObjectId = true;
  return {
    address: `http://127.0.0.1:${port}`,
    async create({id, ...values}) {
      await new Parse.Object('Product').save({...values, objectId: id}, {useMasterKey: true});
    },
  };
});
