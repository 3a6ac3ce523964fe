import {inject, type BindingKey} from '@loopback/core';
import {DefaultCrudRepository, Entity, juggler, model, property, RepositoryMixin}
  from '@loopback/repository';
import {RestApplication} from '@loopback/rest';
import {LiveClient, type LiveCollection} from '../../client';
import {
  LiveEntitiesBindings, LiveEntitiesComponent, realtime, type ChangeFeed, type RealtimeConfig,
} from '../../index';

@model()
export class Task extends Entity {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string'}) title: string;
  @property({type: 'string'}) list?: string | null;
  @property({type: 'number'}) rank?: number | null;
}

/** LoopBack's own repository: no behaviour, nothing but live. */
@realtime<Task>({
  views: {
    listView: {
      paramFields: ['list'],
      transform: ({list}) => ({where: {list}, order: ['title ASC']}),
    },
    urgentView: {
      paramFields: ['rank'],
      transform: ({rank}) => ({where: {rank: {lte: rank}}, order: ['rank ASC']}),
    },
  },
})
export class TaskRepository extends DefaultCrudRepository<Task, string> {
  constructor(@inject('datasources.db') dataSource: juggler.DataSource) {
    super(Task, dataSource);
  }
}

/** An application of tasks on any connector, with a client that watches them. */
export class Tasks extends RepositoryMixin(RestApplication) {
  readonly said: string[] = [];
  client: LiveClient;

  constructor(private readonly source: juggler.DataSource, config: RealtimeConfig = {}) {
    super({rest: {port: 0, host: '127.0.0.1', gracePeriodForClose: 0}, shutdown: {signals: []}});
    this.bind('datasources.db').to(source);
    this.repository(TaskRepository);
    this.component(LiveEntitiesComponent);
    const say = (message: string) => void this.said.push(message);
    const logger = {info: say, warn: say, error: say};
    this.configure(LiveEntitiesBindings.REALTIME).to({logger, ...config} satisfies RealtimeConfig);
  }

  /** Binds a feed of the application's own. */
  bindFeed(feed: ChangeFeed): this {
    this.bind(LiveEntitiesBindings.CHANGE_FEED as BindingKey<ChangeFeed>).to(feed);
    return this;
  }

  async open(): Promise<this> {
    await this.tasks();
    await this.source.automigrate(['Task']);
    await this.start();
    this.client = new LiveClient(this.restServer.url!);
    return this;
  }

  tasks(): Promise<TaskRepository> {
    return this.getRepository(TaskRepository);
  }

  async watch(view: string, viewParams: object, pageSize = 3): Promise<LiveCollection<Task>> {
    const page = this.client.collection<Task>({
      type: 'Task', view, viewParams: {...viewParams}, pageSize, getCount: true,
    });
    await page.ready;
    return page;
  }

  async shutDown(): Promise<void> {
    this.client?.close();
    // LoopBack leaves what has started where something else refuses to start.
    if (this.state === 'started') await this.stop();
    else await this.restServer.stop();
    await this.source.disconnect();
  }
}

/** What a page shows, in short. */
export function titlesOf(page: LiveCollection<Task>): string {
  return `${page.value.map(({title}) => title).join()} of ${page.meta?.count}`;
}
