import {inject, type Context} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  hasMany,
  type HasManyRepositoryFactory,
  type juggler,
  model,
  property,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {defineEntityController} from '../../components/rest/entity-controller';
import {type AccessFilter, FilterGuard} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {
  audited,
  encrypted,
  historical,
  softDeletable,
  versioned,
} from '../../mixins/decorators';
import {BareApplication} from './bare-application';
import {givenMemory, givenPostgresSource, migrate} from './behaviours';
import type {TestDatabase} from './databases';

@model()
export class Part extends Entity {
  @property({type: 'string', id: true, required: true}) id!: string;
  @property({type: 'string', required: true, jsonSchema: {minLength: 1}}) name!: string;
  @property({type: 'number', postgresql: {dataType: 'double precision'}}) qty?: number;
  @property({type: 'string', encrypt: true}) cost?: string;
  @property({type: 'string', hidden: true}) note?: string;
  @property({type: 'string', hidden: true, encrypt: true}) pin?: string;
  @property({type: 'object', postgresql: {dataType: 'jsonb'}}) meta?: object;
  @property({type: 'number'}) makerId?: number;
}

@model()
export class Maker extends Entity {
  @property({type: 'number', id: true, generated: true}) id?: number;
  @property({type: 'string', required: true, index: {unique: true}}) name!: string;
  @hasMany(() => Part) parts?: Part[];
}

@versioned()
@audited()
@softDeletable()
@historical()
@encrypted()
export class PartRepository extends DefaultTransactionalRepository<Part, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Part, dataSource);
  }
}

export class MakerRepository extends DefaultTransactionalRepository<Maker, number> {
  readonly parts: HasManyRepositoryFactory<Part, number>;

  constructor(
    @inject('datasources.db') dataSource: juggler.DataSource,
    @inject.getter('repositories.PartRepository') parts: () => Promise<PartRepository>,
  ) {
    super(Maker, dataSource);
    this.parts = this.createHasManyRepositoryFactoryFor('parts', parts);
    this.registerInclusionResolver('parts', this.parts.inclusionResolver);
  }
}

export interface RestFixture {
  readonly app: RestApplication & Context;
  readonly client: Client;
  readonly dataSource: juggler.DataSource;
  stop(): Promise<void>;
}

export interface RestFixtureOptions {
  readonly database?: TestDatabase;
  /** `post` and `pre` access filters of Part. */
  readonly pre?: AccessFilter;
  readonly post?: AccessFilter;
}

/** Parts with every behaviour at `/parts` and makers without any at `/makers`. */
export async function givenRestApplication(
  options: RestFixtureOptions = {},
): Promise<RestFixture> {
  const {database, pre, post} = options;
  const dataSource = database ? givenPostgresSource(database) : givenMemory();
  const app = new BareApplication(dataSource);
  app.repository(PartRepository);
  app.repository(MakerRepository);
  app.controller(defineEntityController(Part, PartRepository, {basePath: '/parts'}));
  app.controller(defineEntityController(Maker, MakerRepository, {basePath: '/makers'}));
  if (pre || post) {
    const filters = new Map([['Part', {pre: pre ? [pre] : [], post: post ? [post] : []}]]);
    app.bind(LiveEntitiesBindings.ACCESS_GUARD).to(new FilterGuard({filters}));
  }
  await app.getRepository(PartRepository);
  await app.getRepository(MakerRepository);
  await migrate(dataSource);
  await app.start();
  return {
    app,
    client: createRestAppClient(app),
    dataSource,
    stop: async () => {
      await app.stop();
      await dataSource.disconnect();
    },
  };
}
