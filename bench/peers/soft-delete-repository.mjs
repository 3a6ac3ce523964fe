/** The peer `loopback4-soft-delete`: its repository, and nothing else of the five behaviours. */
import {juggler, model, property} from '@loopback/repository';
import {SoftCrudRepository, SoftDeleteEntity} from 'loopback4-soft-delete';
import {
  connectionSettings,
  decorate,
  PROPERTIES,
  serveRepository,
} from '../subjects/repository.mjs';

class Item extends SoftDeleteEntity {}
decorate(Item, PROPERTIES, {model, property});

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  const user = async () => ({id: 'system'});
  const items = new SoftCrudRepository(Item, dataSource, user);
  await dataSource.automigrate('Item');
  return {
    create: data => items.create(data),
    update: (id, data) => items.updateById(id, data),
    delete: id => items.deleteById(id),
    find: filter => items.find(filter),
    findById: id => items.findById(id),
  };
});
