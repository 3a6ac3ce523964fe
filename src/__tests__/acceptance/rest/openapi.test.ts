import assert from 'node:assert/strict';
import {authorize} from '@loopback/authorization';
import {inject} from '@loopback/core';
import {
  DefaultCrudRepository,
  Entity,
  type juggler,
  model,
  property,
} from '@loopback/repository';
import {getModelSchemaRef, type OpenApiSpec} from '@loopback/rest';
import {type Client, createRestAppClient, validateApiSpec} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../../components/live-entities.component';
import {realtime} from '../../../components/realtime/decorators';
import type {RealtimeDefinition} from '../../../components/realtime/types';
import {LiveEntitiesBindings} from '../../../keys';
import type {BehaviourName} from '../../../mixins/behaviour';
import {embedsMany, embedsOne} from '../../../mixins/embedded/decorators';
import {EmbeddingMixin} from '../../../mixins/mixins';
import {Versioned} from '../../../mixins/model-mixins';
import {BareApplication} from '../../support/bare-application';
import {ALL, DECORATORS, givenMemory} from '../../support/behaviours';
import {bodyOf, sampleOf} from '../../support/sample-of';

const SUBSETS = Array.from({length: 2 ** ALL.length}, (_, bits) =>
  ALL.filter((_x, i) => bits & (1 << i)),
);

describe('the OpenAPI document of generated controllers', function () {
  this.timeout(60_000);
  let app: BareApplication;
  let client: Client;
  let document: OpenApiSpec;

  before(async () => {
    app = new BareApplication(givenMemory());
    app.component(LiveEntitiesComponent);
    app.configure(LiveEntitiesBindings.REALTIME).to({
      enabled: false,
      jwt: {secret: 'a secret of the document that is long enough'},
    });
    for (const subset of SUBSETS) mountThings(app, `Thing${nameOf(subset)}`, subset);
    const filtered: RealtimeDefinition<Entity> = {
      views: {},
      filters: {pre: (_req, next) => next()},
    };
    mountThings(app, 'Filtered', ALL, realtime<Entity>(filtered));
    const scoped: RealtimeDefinition<Entity> = {views: {}, scope: () => ({name: 'x'})};
    mountThings(app, 'Scoped', ['history'], realtime<Entity>(scoped));
    mountThings(app, 'Authorized', [], authorize({allowedRoles: ['clerk']}));
    await app.start();
    client = createRestAppClient(app);
    document = (await client.get('/openapi.json').expect(200)).body;
  });
  after(async () => app.stop());

  it('is a valid OpenAPI 3 document, for every subset of the behaviours', async () => {
    await validateApiSpec(document);
    assert.equal(Object.keys(document.paths).filter(p => /^\/Thing\w*$/.test(p)).length, 32);
  });

  it('shows the routes that the behaviours offer, and nothing else', () => {
    for (const subset of SUBSETS) {
      const path = `/Thing${nameOf(subset)}`;
      const expected = [
        'delete /{id}', 'get ', 'get /count', 'get /{id}', 'patch /{id}', 'post ', 'put /{id}',
        ...['delete', 'get', 'post', 'put'].map(verb => `${verb} /{id}/maker`),
        ...['get', 'post'].map(verb => `${verb} /{id}/parts`),
        ...['delete', 'get', 'put'].map(verb => `${verb} /{id}/parts/{childId}`),
        ...(subset.includes('version') ? ['delete /{id}/{version}'] : ['patch ']),
        ...(subset.includes('softDelete') ? ['post /{id}/restore'] : []),
        ...(subset.includes('history')
          ? ['get /history', 'get /{id}/history', 'get /{id}/diff', 'post /{id}/revert/{revision}']
          : []),
      ];
      assert.deepEqual(routesOf(path), expected.sort(), path);
    }
  });

  it('shows only parameters and errors that there can be', () => {
    const plain = document.paths['/Thing'];
    const versioned = document.paths['/Thing_version'];
    assert.ok(!JSON.stringify(plain).includes('If-Match'));
    assert.deepEqual(Object.keys(plain.post.responses), ['200', '400', '401', '409', '422']);
    const patch = (path: string) => document.paths[`${path}/{id}`].patch;
    assert.deepEqual(statuses(patch('/Thing')), '204,400,401,404,409,422');
    assert.deepEqual(statuses(patch('/Thing_version')), '204,400,401,404,409,412,422,428');
    const asOf = (path: string) =>
      document.paths[`${path}/{id}`].get.parameters.some((p: {name: string}) => p.name === 'asOf');
    assert.deepEqual([asOf('/Thing'), asOf('/Thing_history')], [false, true]);
    assert.ok(versioned.post.responses['200'].headers.ETag);
  });

  it('says 403 where filters or @authorize can refuse, and 401 where a token is taken', () => {
    const of = (path: string) => Object.keys(document.paths[path].get.responses);
    assert.ok(!of('/Thing').includes('403'));
    for (const path of ['/Filtered', '/Filtered/{id}', '/Filtered/{id}/maker', '/Authorized']) {
      assert.ok(of(path).includes('401') && of(path).includes('403'), path);
    }
    assert.equal(document.components?.securitySchemes?.liveEntitiesToken !== undefined, true);
  });

  it('says 404 of the history of a row where a scope can put it out of reach', () => {
    const of = (path: string) => Object.keys(document.paths[`${path}/{id}/history`].get.responses);
    assert.deepEqual(of('/Thing_history'), ['200', '400', '401']);
    assert.deepEqual(of('/Scoped'), ['200', '400', '401', '403', '404']);
  });

  it('describes bodies that a strict model accepts', async () => {
    for (const subset of SUBSETS.filter(({length}) => length < 2 || length === ALL.length)) {
      const path = `/Thing${nameOf(subset)}`;
      const send = (verb: string, at: string) => sampleOf(bodyOf(document, verb, at), document);
      const post = send('post', path) as Body;
      const made = Object.keys(post).filter(name => name.startsWith('_'));
      assert.deepEqual(made, [], 'a new row has nothing that the server makes');
      const {body: row} = await client.post(path).send(post).expect(200);
      let version = row._version;
      for (const verb of ['patch', 'put'] as const) {
        const {maker, parts, ...body} = send(verb, `${path}/{id}`) as Body;
        assert.equal('_version' in body, subset.includes('version'));
        if (version) body._version = version;
        await client[verb](`${path}/${row.id}`).send({...body, id: row.id}).expect(204);
        version = (await client.get(`${path}/${row.id}`).expect(200)).body._version;
      }
      const child = send('put', `${path}/{id}/maker`) as Body;
      await client.put(`${path}/${row.id}/maker`)
        .set(version ? {'If-Match': `"${version}"`} : {}).send(child).expect(200);
    }
  });

  it('has the properties of behaviours in the schema of a model without model mixins', () => {
    @model()
    class Bare extends Entity {
      @property({type: 'string', id: true}) id!: string;
    }
    class Bares extends DefaultCrudRepository<Bare, string> {
      constructor() {
        super(Bare, givenMemory());
      }
    }
    const properties = () => {
      const {definitions} = getModelSchemaRef(Bare) as unknown as {
        definitions: Record<string, {properties: object}>;
      };
      return Object.keys(definitions.Bare.properties);
    };
    assert.deepEqual(properties(), ['id']);
    DECORATORS.version()(Bares);
    assert.ok(new Bares());
    assert.ok(properties().includes('_version'));
  });

  function routesOf(path: string): string[] {
    return Object.entries(document.paths)
      .filter(([at]) => at === path || at.startsWith(`${path}/`))
      .flatMap(([at, verbs]) => Object.keys(verbs).map(verb => `${verb} ${at.slice(path.length)}`))
      .sort();
  }
});

type Body = Record<string, unknown>;

function statuses(operation: {responses: object}): string {
  return Object.keys(operation.responses).join();
}

function nameOf(subset: readonly BehaviourName[]): string {
  return subset.map(name => `_${name}`).join('');
}

/** A strict model with everything that a schema can hold, and its controller. */
function mountThings(
  app: BareApplication,
  name: string,
  subset: readonly BehaviourName[],
  decorate?: (target: never) => void,
): void {
  const base = subset.includes('version') ? Versioned(Entity) : Entity;
  @model({name: `Maker${name}`, settings: {strict: true}})
  class Maker extends Entity {
    @property({type: 'string', required: true}) name!: string;
  }
  @model({name: `Part${name}`, settings: {strict: true}})
  class Part extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({type: 'date'}) since?: Date;
  }
  @model({name, settings: {strict: true}})
  class Thing extends base {
    @property({type: 'number', id: true, generated: true}) id?: number;
    @property({type: 'string', required: true, jsonSchema: {minLength: 3}}) name!: string;
    @property({type: 'number'}) qty?: number;
    @property({type: 'date'}) when?: Date;
    @property({type: 'array', itemType: 'string'}) tags?: string[];
    @property({type: 'string', encrypt: true}) secret?: string;
    @property({type: 'string', hidden: true}) note?: string;
    @embedsOne(() => Maker) maker?: Maker;
    @embedsMany(() => Part) parts?: Part[];
  }
  class Things extends EmbeddingMixin(DefaultCrudRepository<Thing, number>) {
    constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
      super(Thing, dataSource);
    }
  }
  decorate?.(Things as never);
  app.mount(Thing, Things, subset, `/${name}`);
}
