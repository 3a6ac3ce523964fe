import {inject} from '@loopback/core';
import {get, RestBindings, type Response} from '@loopback/rest';
import {DbDataSource} from '../datasources/db.datasource';

interface Health {
  readonly status: 'UP' | 'DOWN';
  readonly database: {readonly status: 'UP' | 'DOWN'};
  /** Seconds since the start. */
  readonly uptime: number;
}

/** For load balancers and curious people: 200 when all is well, 503 when something is not. */
export class HealthController {
  constructor(
    @inject('datasources.db') private readonly dataSource: DbDataSource,
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
    const status = database.status;
    if (status === 'DOWN') this.response.status(503);
    return {status, database, uptime: Math.round(process.uptime())};
  }

  private async databaseStatus(): Promise<'UP' | 'DOWN'> {
    const answered = this.dataSource.execute('SELECT 1').then(
      () => 'UP' as const,
      () => 'DOWN' as const,
    );
    return Promise.race([answered, after(2000, 'DOWN' as const)]);
  }
}

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise(resolve => setTimeout(resolve, milliseconds, value).unref());
}
