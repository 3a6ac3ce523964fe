import {BootMixin} from '@loopback/boot';
import {RepositoryMixin} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {RestExplorerComponent} from '@loopback/rest-explorer';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {LiveEntitiesBindings, LiveEntitiesComponent} from 'loopback4-live-entities';
import type {DbDataSource} from './datasources/db.datasource';
import {InventoryBindings} from './keys';
import {CategoryRepository} from './repositories/category.repository';
import {ProductRepository} from './repositories/product.repository';
import {UserRepository} from './repositories/user.repository';
import type {Secrets} from './secrets';
import type {SeedRepositories} from './seed';
import {PasswordLoginService} from './services/password-login';
import {EXAMPLE_ROOT} from './settings';

export interface InventoryConfig {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly secrets: Pick<Secrets, 'tokenSecret' | 'encryptionKey'>;
  /** Tell the sign-in page who can sign in, passwords included. */
  readonly showPeople: boolean;
}

const PAGE = join(EXAMPLE_ROOT, 'web/dist');

/** The inventory: REST, live views and a page, over one database. */
export class InventoryApplication extends BootMixin(RepositoryMixin(RestApplication)) {
  /** Whether the web page has been built. */
  readonly hasPage = existsSync(join(PAGE, 'index.html'));

  constructor({host, port, databaseUrl, secrets, showPeople}: InventoryConfig) {
    super({
      rest: {
        host,
        port,
        // Browsers keep connections open; they do not hold up the end.
        gracePeriodForClose: 1000,
        openApiSpec: {setServersFromRequest: true},
      },
    });
    this.projectRoot = __dirname;
    this.bind(InventoryBindings.DATABASE).to({url: databaseUrl});
    this.bind(InventoryBindings.SHOW_PEOPLE).to(showPeople);

    this.configure(LiveEntitiesBindings.CRYPTO).to({
      keys: [{id: 'k1', secret: secrets.encryptionKey}],
      current: 'k1',
    });
    this.configure(LiveEntitiesBindings.REALTIME).to({
      path: '/realtime',
      jwt: {secret: secrets.tokenSecret, expiresIn: '8h'},
    });
    this.bind(LiveEntitiesBindings.LOGIN_SERVICE).toClass(PasswordLoginService);
    this.component(LiveEntitiesComponent);

    this.component(RestExplorerComponent);
    if (this.hasPage) this.static('/', PAGE);
  }

  /** Where a person reaches the application, once it has started. */
  get url(): string {
    return this.restServer.url ?? '';
  }

  async repositories(): Promise<SeedRepositories> {
    return {
      users: await this.getRepository(UserRepository),
      categories: await this.getRepository(CategoryRepository),
      products: await this.getRepository(ProductRepository),
    };
  }

  /** Lets go of what a start that failed has taken: LoopBack stops only what has started. */
  async abandon(): Promise<void> {
    await this.restServer.stop();
    await (await this.get<DbDataSource>('datasources.db')).stop();
  }
}
