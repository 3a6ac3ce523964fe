/**
 * The peer `@sourceloop/audit-log`. It does not wait for its entries; here they are waited for, on
 * the one connection that everybody has.
 */
import {DefaultCrudRepository, Entity, juggler, model, property} from '@loopback/repository';
import {AuditLog, AuditRepositoryMixin} from '@sourceloop/audit-log';
import {
  connectionSettings,
  decorate,
  PROPERTIES,
  serveRepository,
} from '../subjects/repository.mjs';

class Item extends Entity {}
decorate(Item, PROPERTIES, {model, property});

class ItemRepository extends AuditRepositoryMixin(DefaultCrudRepository, {actionKey: 'item'}) {
  constructor(dataSource, entries) {
    super(Item, dataSource);
    this.getAuditLogRepository = async () => entries;
    this.getCurrentUser = async () => ({id: 'system', username: 'system'});
  }
}

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  // The migration that it comes with has the database make the id.
  AuditLog.definition.properties.id.defaultFn = 'uuidv4';
  const entries = new DefaultCrudRepository(AuditLog, dataSource);
  const items = new ItemRepository(dataSource, entries);
  await dataSource.automigrate();
  return {
    create: data => items.create(data),
    update: (id, data) => items.updateById(id, data),
    delete: id => items.deleteById(id),
    // Statements of one connection are answered in their order.
    settle: () => dataSource.execute('SELECT 1'),
  };
});
