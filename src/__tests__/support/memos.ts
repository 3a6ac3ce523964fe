import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {securityId} from '@loopback/security';
import {
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  realtime,
  type RealtimeConfig,
  type RealtimeDefinition,
} from '../../index';
import type {TestDatabase} from './databases';
import {RawClient} from './raw-client';

@model()
export class Memo extends Entity {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) text: string;
  @property({type: 'string'}) owner?: string;
  @property({type: 'string'}) secret?: string;
}

class MemoApplication extends RepositoryMixin(RestApplication) {}

/** An application of one entity, made live as a test wants it. */
export class Memos {
  private readonly clients: RawClient[] = [];

  private constructor(
    private readonly app: MemoApplication,
    readonly repository: DefaultTransactionalRepository<Memo, string>,
  ) {}

  static async start(
    database: TestDatabase,
    definition: RealtimeDefinition<Memo>,
    config: RealtimeConfig = {},
  ): Promise<Memos> {
    @realtime<Memo>(definition)
    class MemoRepository extends DefaultTransactionalRepository<Memo, string> {
      constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
        super(Memo, dataSource);
      }
    }
    const rest = {port: 0, host: '127.0.0.1', gracePeriodForClose: 0};
    const app = new MemoApplication({rest, shutdown: {signals: []}});
    const settings = {name: 'db', connector: 'postgresql', ...database.config};
    app.dataSource(new juggler.DataSource(settings));
    app.repository(MemoRepository);
    app.component(LiveEntitiesComponent);
    app.configure(LiveEntitiesBindings.REALTIME).to({
      jwt: {secret: 'a secret that is long enough for tests'},
      logger: {warn: () => undefined, error: () => undefined},
      ...config,
    });
    await app.migrateSchema({existingSchema: 'drop'});
    await app.start();
    return new Memos(app, await app.getRepository(MemoRepository));
  }

  /** A connection of somebody, or of nobody. */
  async connect(name?: string, profile: object = {}): Promise<RawClient> {
    const auth = name === undefined ? {} : {token: await this.token(name, profile)};
    const client = await RawClient.connect(this.app.restServer.url!, auth);
    this.clients.push(client);
    return client;
  }

  async token(name: string, profile: object = {}): Promise<string> {
    const tokens = await this.app.get(LiveEntitiesBindings.TOKEN_SERVICE);
    return tokens.generateToken({[securityId]: name, id: name, ...profile});
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.app.stop();
    await (await this.app.get<juggler.DataSource>('datasources.db')).disconnect();
  }
}
