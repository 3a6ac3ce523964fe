/**
 * The peer Feathers 5, with Knex and Socket.IO. Without options each category has a channel; with
 * `filter` there is one channel, and each connection is asked whether it wants the row.
 */
import {createServer} from 'node:http';
import {feathers} from '@feathersjs/feathers';
import {KnexService} from '@feathersjs/knex';
import socketio from '@feathersjs/socketio';
import knex from 'knex';
import {CONNECTIONS, serveLive, TABLE} from '../subjects/live-server.mjs';

serveLive(async (connection, {filter = false}) => {
  const database = knex({client: 'pg', connection, pool: {min: 1, max: CONNECTIONS}});
  await database.raw(TABLE);
  const app = feathers();
  app.configure(socketio({serveClient: false, perMessageDeflate: false}));
  app.use('products', new KnexService({Model: database, name: 'product', id: 'id'}));
  app.use('views', {
    async create({category}, params) {
      if (filter) params.connection.category = category;
      app.channel(filter ? 'everybody' : category).join(params.connection);
      return {category};
    },
  });
  app.service('views').publish(() => undefined);
  app.service('products').publish('created', row =>
    filter
      ? app.channel('everybody').filter(each => each.category === row.category)
      : app.channel(row.category));
  const httpServer = createServer();
  await app.setup(httpServer);
  await new Promise(resolve => httpServer.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${httpServer.address().port}`,
    create: product => app.service('products').create(product),
  };
});
