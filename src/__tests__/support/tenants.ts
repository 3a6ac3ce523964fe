import {inject} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  hasMany,
  type HasManyRepositoryFactory,
  type juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {
  Audited,
  audited,
  defineEntityController,
  historical,
  type HistoricalRepository,
  LiveEntitiesBindings,
  LiveEntitiesComponent,
  realtime,
  SoftDeletable,
  softDeletable,
  Versioned,
  versioned,
} from '../../index';
import {givenMemory, givenPostgresSource, migrate} from './behaviours';
import type {TestDatabase} from './databases';

@model()
export class Note extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string', required: true}) title: string;
  // Hidden, since it is the server's own business; the scope knows it all the same.
  @property({type: 'string', hidden: true}) tenantId?: string;
  @property({type: 'number'}) folderId?: number;
}

@model()
export class Folder extends Entity {
  @property({id: true, type: 'number', required: true}) id: number;
  @property({type: 'string', required: true}) name: string;
  @property({type: 'string'}) tenantId?: string;
  @property({type: 'string', default: 'open'}) state?: string;
  @hasMany(() => Note) notes?: Note[];
}

/** What only its author may reach. */
@model()
export class Draft extends Audited(Entity) {
  @property({id: true, type: 'string', required: true}) id: string;
  @property({type: 'string'}) text?: string;
}

const ofTenant = (who: UserProfile) => (who.isAdmin ? undefined : {tenantId: who.tenantId});

@realtime<Note>({
  views: {
    titleView: {transform: () => ({order: ['title ASC']})},
    eitherView: {
      paramFields: ['tenantId'],
      transform: ({tenantId}) => ({where: {or: [{tenantId}, {title: {neq: ''}}]}}),
    },
  },
  scope: ofTenant,
})
@versioned() @audited() @softDeletable() @historical()
export class NoteRepository extends DefaultTransactionalRepository<Note, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Note, dataSource);
  }
}

@realtime<Folder>({scope: who => ({...ofTenant(who), state: {neq: 'secret'}})})
export class FolderRepository extends DefaultTransactionalRepository<Folder, number> {
  readonly notes: HasManyRepositoryFactory<Note, number>;

  constructor(
    @inject('datasources.db') dataSource: juggler.DataSource,
    @inject.getter('repositories.NoteRepository') notes: () => Promise<NoteRepository>,
  ) {
    super(Folder, dataSource);
    this.notes = this.createHasManyRepositoryFactoryFor('notes', notes);
    this.registerInclusionResolver('notes', this.notes.inclusionResolver);
  }
}

@realtime<Draft>({
  views: {ownView: {transform: () => ({order: ['id ASC']})}},
  scope: who => ({_createdBy: who[securityId]}),
})
@audited()
export class DraftRepository extends DefaultTransactionalRepository<Draft, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Draft, dataSource);
  }
}

/** An application whose people see the rows of their own tenant. */
export class TenantApplication extends RepositoryMixin(RestApplication) {
  get url(): string {
    return this.restServer.url!;
  }

  /** A token of somebody; the name is also the id. */
  async tokenFor(name: string, profile: object = {}): Promise<string> {
    const tokens = await this.get(LiveEntitiesBindings.TOKEN_SERVICE);
    return tokens.generateToken({[securityId]: name, id: name, ...profile});
  }

  async empty(): Promise<void> {
    const notes = await this.getRepository(NoteRepository);
    await notes.deleteAll({}, {hard: true, withDeleted: true});
    await (notes as unknown as HistoricalRepository<Note, string>).pruneHistory({keepLast: 0});
    await (await this.getRepository(FolderRepository)).deleteAll();
    await (await this.getRepository(DraftRepository)).deleteAll();
  }

  async shutDown(): Promise<void> {
    await this.stop();
    await (await this.get<juggler.DataSource>('datasources.db')).disconnect();
  }
}

/** Starts it: live on PostgreSQL where that is asked for, else REST alone. */
export async function givenTenants(
  database: TestDatabase | undefined,
  {live}: {live: boolean},
): Promise<TenantApplication> {
  const rest = {port: 0, host: '127.0.0.1', gracePeriodForClose: 0};
  const app = new TenantApplication({rest, shutdown: {signals: []}});
  const dataSource = database ? givenPostgresSource(database) : givenMemory();
  app.bind('datasources.db').to(dataSource);
  app.repository(NoteRepository);
  app.repository(FolderRepository);
  app.repository(DraftRepository);
  await app.getRepository(NoteRepository);
  await app.getRepository(FolderRepository);
  await app.getRepository(DraftRepository);
  await migrate(dataSource);
  app.controller(defineEntityController(Note, NoteRepository, {basePath: '/notes'}));
  app.controller(defineEntityController(Folder, FolderRepository, {basePath: '/folders'}));
  app.controller(defineEntityController(Draft, DraftRepository, {basePath: '/drafts'}));
  app.component(LiveEntitiesComponent);
  app.configure(LiveEntitiesBindings.REALTIME).to({
    enabled: live,
    jwt: {secret: 'a secret that is long enough for tests'},
  });
  app.bind('rest.sequence.actions.logError').to((error: Error, status: number) => {
    if (status >= 500) console.error(error);
  });
  await app.start();
  return app;
}
