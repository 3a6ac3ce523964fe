/**
 * A repository of this package, with the behaviours that the environment names:
 * `BEHAVIOURS=version,audit,softDelete,history,crypto`.
 */
import {Application} from '@loopback/core';
import {
  DefaultCrudRepository,
  Entity,
  juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {
  audited,
  encrypted,
  historical,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  softDeletable,
  versioned,
} from 'loopback4-live-entities';
import {connectionSettings, decorate, PROPERTIES, serveRepository} from './repository.mjs';

const DECORATORS = {
  version: versioned,
  audit: audited,
  softDelete: softDeletable,
  history: historical,
  crypto: encrypted,
};
const behaviours = process.env.BEHAVIOURS.split(',');

class Item extends Entity {}
decorate(Item, PROPERTIES, {model, property});

class ItemRepository extends DefaultCrudRepository {
  constructor(dataSource) {
    super(Item, dataSource);
  }
}
Reflect.defineMetadata('design:paramtypes', [juggler.DataSource], ItemRepository);
for (const name of behaviours) DECORATORS[name]()(ItemRepository);

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  const app = new (RepositoryMixin(Application))();
  app.component(LiveEntitiesComponent);
  const secret = Buffer.alloc(32, 7).toString('base64');
  app.configure(LiveEntitiesBindings.CRYPTO).to({keys: [{id: 'k1', secret}], current: 'k1'});
  app.configure(LiveEntitiesBindings.REALTIME).to({enabled: false});
  const items = new ItemRepository(dataSource);
  items.liveContext = app;
  await dataSource.automigrate();
  const versions = new Map();
  return {
    create: data => items.create(data),
    update: (id, data, created) => items.updateById(id, data, {version: created._version}),
    // Whoever deletes has read the row, and with it its version.
    async beforeDelete(ids) {
      if (!behaviours.includes('version')) return;
      for (const {id, _version} of await items.find({where: {id: {inq: ids}}})) {
        versions.set(id, _version);
      }
    },
    delete: id => items.deleteById(id, {version: versions.get(id)}),
    find: filter => items.find(filter),
    findById: id => items.findById(id),
    createAll: rows => items.createAll(rows),
    updateAll: (data, where) => items.updateAll(data, where),
  };
});
