import {inject} from '@loopback/core';
import {DefaultTransactionalRepository, type juggler, RepositoryMixin} from '@loopback/repository';
import {RestApplication, RestBindings} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {type Client, createRestAppClient} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../components/live-entities.component';
import {realtime} from '../../components/realtime/decorators';
import {defineEntityController} from '../../components/rest/entity-controller';
import type {AccessFilter} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {historical, softDeletable, versioned} from '../../mixins/decorators';
import {givenMemory, givenPostgresSource, migrate} from './behaviours';
import type {TestDatabase} from './databases';
import {Book, Note, Shop} from './library';

export interface LibraryOptions {
  readonly database?: TestDatabase;
  readonly post?: AccessFilter;
  /** The where that people's books are cut to. */
  readonly scope?: (who: UserProfile) => object | undefined;
  /** Configuration of the component. */
  readonly component?: object;
  readonly errorWriter?: object;
}

export interface LibraryFixture {
  readonly client: Client;
  readonly app: RestApplication;
  /** The header of a person who has signed in. */
  as(role: string): Promise<[string, string]>;
  stop(): Promise<void>;
}

/** Books with every behaviour at `/books`, shops with versions at `/shops`, notes at `/notes`. */
export async function givenLibraryApplication(
  options: LibraryOptions = {},
): Promise<LibraryFixture> {
  const {database, post, scope, component = {}, errorWriter} = options;
  const db = database ? givenPostgresSource(database) : givenMemory();

  @realtime<Book>({views: {}, filters: {post}, scope})
  @versioned()
  @softDeletable()
  @historical()
  class Books extends DefaultTransactionalRepository<Book, string> {
    constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
      super(Book, dataSource);
    }
  }
  @versioned()
  class Shops extends DefaultTransactionalRepository<Shop, string> {
    constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
      super(Shop, dataSource);
    }
  }
  @softDeletable()
  class Notes extends DefaultTransactionalRepository<Note, string> {
    constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
      super(Note, dataSource);
    }
  }
  class Application extends RepositoryMixin(RestApplication) {}
  const app = new Application({rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 100}});
  app.bind('datasources.db').to(db);
  if (errorWriter) app.bind(RestBindings.ERROR_WRITER_OPTIONS).to(errorWriter);
  app.component(LiveEntitiesComponent);
  app.configure(LiveEntitiesBindings.COMPONENT).to(component);
  app.configure(LiveEntitiesBindings.REALTIME).to({
    enabled: false,
    jwt: {secret: 'a secret of the library that is long enough'},
  });
  app.repository(Books);
  app.repository(Shops);
  app.repository(Notes);
  for (const {key} of app.find('repositories.*')) await app.get(key);
  app.controller(defineEntityController(Book, Books, {basePath: '/books'}));
  app.controller(defineEntityController(Shop, Shops, {basePath: '/shops'}));
  app.controller(defineEntityController(Note, Notes, {basePath: '/notes'}));
  await migrate(db);
  app.bind('rest.sequence.actions.logError').to((error: Error, status: number) => {
    if (status >= 500) console.error(error);
  });
  await app.start();
  const tokens = await app.get(LiveEntitiesBindings.TOKEN_SERVICE);
  return {
    app,
    client: createRestAppClient(app),
    as: async role => {
      const token = await tokens.generateToken({[securityId]: role, role});
      return ['Authorization', `Bearer ${token}`];
    },
    stop: async () => {
      await app.stop();
      await db.disconnect();
    },
  };
}
