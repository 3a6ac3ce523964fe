import assert from 'node:assert/strict';
import {Entity, model, property, RepositoryMixin} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {createRestAppClient} from '@loopback/testlab';
import {LiveEntityApiBuilder} from '../../../components/rest/live-entity.api-builder';
import {LiveEntitiesBindings} from '../../../keys';
import {givenMemory} from '../../support/behaviours';
import {MakerRepository, Part, PartRepository} from '../../support/rest-application';

describe('a rest-config with the pattern LiveEntity', () => {
  let app: InstanceType<ReturnType<typeof givenApplicationClass>>;

  beforeEach(() => {
    app = new (givenApplicationClass())({rest: {port: 0, host: '127.0.0.1'}});
    app.bind('datasources.db').to(givenMemory());
  });
  afterEach(() => app.stop());

  it('serves a model with the behaviours that it and the application declare', async () => {
    app.configure(LiveEntitiesBindings.COMPONENT).to({
      mixins: {VersionMixin: true, HistoryMixin: true, AuditFieldsMixin: true},
    });
    await build(Note, {basePath: '/notes', dataSource: 'db'});
    await app.start();
    const client = createRestAppClient(app);
    const {body} = await client.post('/notes').send({id: 'n', text: 'x'}).expect(200);
    assert.ok(body._version);
    assert.ok(body._createdOn);
    await client.delete('/notes/n').expect(428);
    await client.delete(`/notes/n/${body._version}`).expect(200, {count: 1});
    await client.get('/notes/n/history').expect(404);
  });

  it('uses the repository that the application has', async () => {
    app.repository(PartRepository);
    app.repository(MakerRepository);
    app.configure(LiveEntitiesBindings.CRYPTO).to({
      keys: [{id: 'k1', secret: 'correct horse battery staple'}],
      current: 'k1',
    });
    await build(Part, {basePath: '/parts', dataSource: 'other'});
    await app.start();
    const client = createRestAppClient(app);
    await client.post('/parts').send({id: 'p', name: 'x', cost: '1'}).expect(200);
    await client.get('/parts/p/history').expect(200, []);
  });

  it('refuses a configuration without a base path, and a model that is no entity', async () => {
    await assert.rejects(build(Note, {dataSource: 'db'}), /basePath/);
    await assert.rejects(build(Object as never, {dataSource: 'db', basePath: '/x'}), /no Entity/);
  });

  function build(entity: typeof Entity, config: {basePath?: string; dataSource: string}) {
    const complete = {model: entity, pattern: 'LiveEntity', ...config};
    return new LiveEntityApiBuilder().build(app, entity, complete);
  }
});

@model({settings: {mixins: {HistoryMixin: false}}})
class Note extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) text?: string;
}

function givenApplicationClass() {
  return class extends RepositoryMixin(RestApplication) {};
}
