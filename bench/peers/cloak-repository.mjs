/**
 * The cipher layer of `prisma-field-encryption`, `@47ng/cloak`, as its middleware uses it: the
 * synchronous functions, around a bare repository.
 */
import {
  decryptStringSync,
  encryptStringSync,
  findKeyForMessage,
  generateKey,
  makeKeychainSync,
  parseKeySync,
} from '@47ng/cloak';
import {DefaultCrudRepository, Entity, juggler, model, property} from '@loopback/repository';
import {
  connectionSettings,
  decorate,
  PROPERTIES,
  serveRepository,
} from '../subjects/repository.mjs';

class Item extends Entity {}
decorate(Item, PROPERTIES, {model, property});

const text = generateKey();
const key = parseKeySync(text);
const keychain = makeKeychainSync([text]);

class EncryptedItemRepository extends DefaultCrudRepository {
  entityToData(entity, options) {
    const data = super.entityToData(entity, options);
    return data.then?.(seal) ?? seal(data);
  }

  toEntity(row) {
    const entity = super.toEntity(row);
    if (entity.cardNo != null) entity.cardNo = open(entity.cardNo);
    return entity;
  }
}

async function seal(data) {
  return data.cardNo == null ? data : {...data, cardNo: encryptStringSync(data.cardNo, key)};
}

function open(sealed) {
  return decryptStringSync(sealed, findKeyForMessage(sealed, keychain));
}

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  const items = new EncryptedItemRepository(Item, dataSource);
  await dataSource.automigrate('Item');
  return {
    create: data => items.create(data),
    find: filter => items.find(filter),
    findById: id => items.findById(id),
  };
});
