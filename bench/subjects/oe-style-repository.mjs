/**
 * A repository as the mixins of oe-common-mixins work, in LoopBack 4: every update and delete
 * reads the row, checks its version, writes, and then inserts the old row into a history table,
 * one statement after the other and without a transaction.
 */
import {createCipheriv, createDecipheriv, randomBytes, randomUUID} from 'node:crypto';
import {DefaultCrudRepository, Entity, juggler, model, property} from '@loopback/repository';
import {connectionSettings, decorate, PROPERTIES, serveRepository} from './repository.mjs';

const STAMPS = {
  _version: {type: 'string'},
  _oldVersion: {type: 'string'},
  _type: {type: 'string'},
  _createdBy: {type: 'string'},
  _createdOn: {type: 'date'},
  _modifiedBy: {type: 'string'},
  _modifiedOn: {type: 'date'},
  _isDeleted: {type: 'boolean'},
};

class Item extends Entity {}
decorate(Item, {...PROPERTIES, ...STAMPS}, {model, property});

class ItemHistory extends Entity {}
const {id, ...others} = {...PROPERTIES, ...STAMPS};
const revision = {_id: {type: 'string', id: true}, _modelId: {...id, id: false}};
for (const [name, definition] of Object.entries({...others, ...revision})) {
  property(definition)(ItemHistory.prototype, name);
}
model()(ItemHistory);

const key = randomBytes(32);

class VersionMismatch extends Error {}

class OeItemRepository extends DefaultCrudRepository {
  constructor(dataSource) {
    super(Item, dataSource);
    this.histories = new DefaultCrudRepository(ItemHistory, dataSource);
  }

  create(data, options) {
    const now = new Date();
    const stamps = {
      _version: randomUUID(), _type: 'Item', _isDeleted: false,
      _createdBy: 'system', _createdOn: now, _modifiedBy: 'system', _modifiedOn: now,
    };
    return super.create({...encrypt(data), ...stamps}, options);
  }

  async updateById(itemId, {_version, ...data}, options) {
    const old = await this.findOne({where: {id: itemId, _isDeleted: false}}, options);
    if (old?._version !== _version) throw new VersionMismatch();
    const stamps = {
      _version: randomUUID(), _oldVersion: _version,
      _modifiedBy: 'system', _modifiedOn: new Date(),
    };
    const values = {...encrypt(data), ...stamps};
    const {count} = await this.updateAll(values, {id: itemId, _version}, options);
    if (count === 0) throw new VersionMismatch();
    const {id: _modelId, ...rest} = old.toObject();
    await this.histories.create({...rest, _id: randomUUID(), _modelId}, options);
  }

  deleteById(itemId, {version, ...options}) {
    return this.updateById(itemId, {_isDeleted: true, _version: version}, options);
  }
}

function encrypt(data) {
  if (data.cardNo === undefined) return data;
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const parts = [iv, cipher.update(data.cardNo, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return {...data, cardNo: Buffer.concat(parts).toString('base64')};
}

function decrypt(row) {
  const sealed = Buffer.from(row.cardNo, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(-16));
  const parts = [decipher.update(sealed.subarray(12, -16)), decipher.final()];
  row.cardNo = Buffer.concat(parts).toString('utf8');
  return row;
}

serveRepository(async url => {
  const dataSource = new juggler.DataSource(connectionSettings(url));
  const items = new OeItemRepository(dataSource);
  await dataSource.automigrate();
  const versions = new Map();
  return {
    create: data => items.create(data),
    update: (itemId, data, {_version}) => items.updateById(itemId, {...data, _version}),
    async beforeDelete(ids) {
      for (const row of await items.find({where: {id: {inq: ids}}})) {
        versions.set(row.id, row._version);
      }
    },
    find: async filter => (await items.find(filter)).map(decrypt),
    delete: itemId => items.deleteById(itemId, {version: versions.get(itemId)}),
  };
});
