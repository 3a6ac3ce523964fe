/** LoopBack's own `DefaultCrudRepository`, with nothing added. */
import {DefaultCrudRepository, Entity, juggler, model, property} from '@loopback/repository';
import {connectionSettings, decorate, PROPERTIES, serveRepository} from './repository.mjs';

class Item extends Entity {}
decorate(Item, PROPERTIES, {model, property});

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  const items = new DefaultCrudRepository(Item, dataSource);
  await dataSource.automigrate('Item');
  return {
    create: data => items.create(data),
    update: (id, data) => items.updateById(id, data),
    delete: id => items.deleteById(id),
    find: filter => items.find(filter),
    findById: id => items.findById(id),
    createAll: rows => items.createAll(rows),
    updateAll: (data, where) => items.updateAll(data, where),
  };
});
