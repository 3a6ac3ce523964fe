import {inject} from '@loopback/core';
import {get, RestBindings, type Response} from '@loopback/rest';
import {
  LiveEntitiesBindings,
  type LiveStatus,
  RealtimeServer,
} from 'loopback4-live-entities';
import {DbDataSource} from '../datasources/db.datasource';

type Status = 'UP' | 'DOWN';

interface Health {
  readonly status: Status;
  readonly database: {readonly status: Status};
  /** The change feed that live views come from, and how much of them there is. */
  readonly live: {readonly status: Status} & Partial<Omit<LiveStatus, 'live'>>;
  /** Seconds since the start. */
  readonly uptime: number;
}

/** For load balancers and curious people: 200 when all is well, 503 when something is not. */
export class HealthController {
  constructor(
    @inject('datasources.db') private readonly dataSource: DbDataSource,
    @inject(LiveEntitiesBindings.REALTIME_SERVER) private readonly realtime: RealtimeServer,
    @inject(RestBindings.Http.RESPONSE) private readonly response: Response,
  ) {}

  @get('/health', {
    responses: {
      200: {description: 'Everything works'},
      503: {description: 'Something does not: `DOWN` says what'},
    },
  })
  async health(): Promise<Health> {
    const database = {status: await this.databaseStatus()};
    const {live: follows, ...state} = this.realtime.status ?? {};
    const live = {status: up(follows), ...state};
    const status = up(database.status === 'UP' && live.status === 'UP');
    if (status === 'DOWN') this.response.status(503);
    return {status, database, live, uptime: Math.round(process.uptime())};
  }

  private async databaseStatus(): Promise<Status> {
    const answered = this.dataSource.execute('SELECT 1').then(
      () => 'UP' as const,
      () => 'DOWN' as const,
    );
    return Promise.race([answered, after(2000, 'DOWN' as const)]);
  }
}

function up(isUp: boolean | undefined): Status {
  return isUp ? 'UP' : 'DOWN';
}

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise(resolve => setTimeout(resolve, milliseconds, value).unref());
}
