import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository, Entity, hasMany, juggler, model, ModelDefinition, property,
  RepositoryMixin, type Class, type Model, type Repository,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {
  LiveEntitiesBindings, LiveEntitiesComponent, realtime, type RealtimeConfig,
} from '../../index';

/** Steps of plans; those that are hidden are in no query. */
@model({settings: {scope: {where: {hidden: {neq: true}}, order: ['title DESC']}}})
export class Step extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string'}) title: string;
  @property({type: 'string'}) planId?: string;
  @property({type: 'boolean'}) hidden?: boolean;
}

/** Only active ones of low rank are in any query. */
@model({settings: {scope: {where: {active: true, rank: {lt: 10}}, order: 'rank DESC'}}})
export class Plan extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'boolean'}) active?: boolean;
  @property({type: 'number'}) rank?: number;
  @property({type: 'string'}) secret?: string | null;
  @hasMany(() => Step) steps?: Step[];
}

/** The plan with other settings. */
export function planWith(settings: object): typeof Entity & {prototype: Plan} {
  const {Changed} = {Changed: class Changed extends Plan {}};
  const {properties, relations} = Plan.definition;
  const definition = {name: 'Plan', properties: {...properties}, relations, settings};
  Changed.definition = new ModelDefinition(definition);
  return Changed;
}

type Live<T extends Entity> = DefaultTransactionalRepository<T, string>;
export type PlanRepositoryClass = new (dataSource: juggler.DataSource) => Live<Plan>;

/** LoopBack's own repository of such plans, made live. */
export function livePlans(entity: typeof Entity & {prototype: Plan}): PlanRepositoryClass {
  @realtime<Plan>({
    views: {
      all: {transform: () => ({include: ['steps']})},
      byRank: {affectingFields: ['rank'], transform: () => ({order: ['rank ASC']})},
    },
  })
  class PlanRepository extends DefaultTransactionalRepository<Plan, string> {
    constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
      super(entity, dataSource);
    }
  }
  return PlanRepository;
}

@realtime<Step>({views: {}})
export class StepRepository extends DefaultTransactionalRepository<Step, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Step, dataSource);
  }
}

type Observer = (context: {query?: {where?: object}; data?: {secret?: unknown}}) => Promise<void>;

interface Observed {
  observe(hook: string, observer: Observer): void;
}

/** Lets a model, as a repository has it defined, hide what is not active and all secrets. */
export function hidingByHooks<T extends typeof Model>(model: T, hooks: readonly string[]): T {
  const observers: Record<string, Observer> = {
    access: async ({query}) => {
      query!.where = {and: [query!.where ?? {}, {active: true}]};
    },
    loaded: async ({data}) => {
      if (data) data.secret = null;
    },
  };
  for (const hook of hooks) (model as unknown as Observed).observe(hook, observers[hook]);
  return model;
}

/** An application of these repositories that keeps what it logs. */
export class RulesApplication extends RepositoryMixin(RestApplication) {
  readonly said: string[] = [];

  constructor(
    private readonly source: juggler.DataSource,
    private readonly repositories: readonly Class<Repository<Entity>>[],
    config: RealtimeConfig = {},
  ) {
    super({rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 0}, shutdown: {signals: []}});
    this.bind('datasources.db').to(source);
    for (const each of repositories) this.repository(each);
    this.component(LiveEntitiesComponent);
    const say = (message: string) => void this.said.push(message);
    const logger = {info: say, warn: say, error: say};
    this.configure(LiveEntitiesBindings.REALTIME).to({logger, ...config} satisfies RealtimeConfig);
  }

  async open(): Promise<this> {
    for (const {name} of this.repositories) await this.get(`repositories.${name}`);
    await this.source.automigrate();
    await this.start();
    return this;
  }

  async shutDown(): Promise<void> {
    // LoopBack leaves what has started where something else refuses to start.
    if (this.state === 'started') await this.stop();
    else await this.restServer.stop();
    await this.source.disconnect();
  }
}
