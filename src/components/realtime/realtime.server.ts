import {
  Application,
  BindingScope,
  config,
  ContextTags,
  CoreBindings,
  inject,
  injectable,
  lifeCycleObserver,
  type LifeCycleObserver,
} from '@loopback/core';
import {RestBindings, type RestServer} from '@loopback/rest';
import {SocketTransport} from '../../adapters/socketio/transport';
import type {HubCounters} from '../../core/counters';
import type {LiveStatus} from '../../core/status';
import type {DeltaMessage, FeedMessage} from '../../protocol/messages';
import {LiveEntitiesBindings} from '../../keys';
import type {LiveMetrics} from '../operation/live-metrics';
import {adminUi} from './admin-ui';
import {resolveConfig, type ResolvedRealtimeConfig} from './config';
import {LiveEngine} from './engine';
import {LiveConnection} from './live-connection';
import {SessionService} from './session.service';
import type {RealtimeConfig} from './types';
import type {UpdateNotice} from './update-notice';

/** The group of this observer; it runs after the servers, whose port it shares. */
export const REALTIME_GROUP = 'realtime';

/**
 * Runs the live side with the application: starts the feeds, then takes sockets on the REST
 * server's port; and takes both down again before the REST server stops.
 */
@lifeCycleObserver(REALTIME_GROUP, {
  scope: BindingScope.SINGLETON,
  tags: {[ContextTags.NAME]: 'RealtimeServer'},
})
@injectable({scope: BindingScope.SINGLETON})
export class RealtimeServer implements LifeCycleObserver {
  private readonly config: ResolvedRealtimeConfig;
  private engine: LiveEngine | undefined;
  private transport: SocketTransport | undefined;

  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @inject(RestBindings.SERVER) private readonly rest: RestServer,
    @inject(LiveEntitiesBindings.SESSIONS) private readonly sessions: SessionService,
    @config({fromBinding: LiveEntitiesBindings.REALTIME}) realtimeConfig: RealtimeConfig = {},
  ) {
    this.config = resolveConfig(realtimeConfig);
  }

  /** How the live side is; undefined before it has started and after it has stopped. */
  get status(): LiveStatus | undefined {
    return this.engine?.status();
  }

  /** What happened on the live side, and what is there, for metrics; undefined as `status`. */
  get counters(): HubCounters | undefined {
    return this.engine?.counters();
  }

  /** All that is known for metrics; undefined as `status`. */
  get metrics(): LiveMetrics | undefined {
    const {engine, transport} = this;
    if (!engine || !transport) return undefined;
    const {connections, refused} = transport;
    return {counters: engine.counters(), feeds: engine.status().feeds, connections, refused};
  }

  /**
   * Says that rows were written by somebody whom the feed does not see: another process or plain
   * SQL beside the `repository` feed, a writer that a bound feed knows nothing of. Call it when the
   * write can be read; every page that may show the rows is then read anew.
   *
   * @throws LiveEntityError `UNKNOWN_TYPE` (404); what the database throws
   * @example
   * ```ts
   * await dataSource.execute('UPDATE product SET price = price * 1.1');
   * const live = await app.get(LiveEntitiesBindings.REALTIME_SERVER);
   * await live.notifyUpdate({type: 'Product', ids: 'all'});
   * ```
   */
  async notifyUpdate(notice: UpdateNotice): Promise<void> {
    await this.engine?.notifyUpdate(notice);
  }

  /** @throws Error that says why live views do not follow the database at the moment */
  mustBeReady(): void {
    if (!this.config.enabled) return;
    const {status} = this;
    if (!status) throw new Error('live views have not started, or have stopped');
    if (status.live) return;
    const [feed] = status.feeds.filter(({state}) => state !== 'live');
    throw new Error(`the change feed ${feed?.name} is ${feed?.state}: ${feed?.error ?? ''}`);
  }

  async start(): Promise<void> {
    if (!this.config.enabled) return;
    const instrument = this.config.adminUi && adminUi(this.config.adminUi);
    const httpServer = this.rest.httpServer?.server;
    if (!httpServer) {
      throw new Error(
        'realtime: the REST server does not listen itself (rest.listenOnStart is false), ' +
          'so there is no port for the socket',
      );
    }
    const publisher = {
      publish: (delta: DeltaMessage) => this.transport?.publish(delta),
      feed: (message: FeedMessage) => this.transport?.feed(message),
    };
    this.engine = await LiveEngine.start(this.application, this.config, publisher);
    const {path, cors, logger, limits, addressOf, defaultPageSize} = this.config;
    const options = {
      application: this.application,
      sessions: this.sessions,
      controllers: this.engine.controllers,
      share: {
        subscriptions: limits.subscriptionsPerSocket, rows: limits.rowsPerSocket, defaultPageSize,
      },
    };
    this.transport = new SocketTransport({
      httpServer: httpServer as never,
      path,
      cors,
      logger,
      addressOf,
      instrument,
      ...limits,
      standingStill: () => this.engine?.standingStill ?? [],
      accept: (connection, {token}) => new LiveConnection(connection, options).open(token),
    });
  }

  async stop(): Promise<void> {
    const {transport, engine} = this;
    this.transport = undefined;
    this.engine = undefined;
    // Without it the REST server would wait for the sockets for ever.
    await transport?.close();
    await engine?.stop();
  }
}
