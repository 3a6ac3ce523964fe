import {asUnavailable} from '../../core/database-errors';
import {isPostgresConnector, type Queryable} from './postgres-connector';

type Done = (error?: unknown, ...results: unknown[]) => void;
type Release = (error?: unknown) => void;

/** What is used of the pool beside queries. */
interface Pool extends Queryable {
  on(event: 'error' | 'acquire', listener: (argument: EventSource) => void): void;
  listenerCount(event: string): number;
  connect(done?: (error: unknown, client: Client | undefined, release: Release) => void): unknown;
}

interface Client {
  /** Set anew by the pool each time it lends the connection. */
  release: Release;
}

interface EventSource {
  on(event: 'error', listener: () => void): void;
}

/** The ways by which juggler, and an application through it, reaches the database. */
interface Connector {
  readonly pg: Pool;
  beginTransaction?(level: string, done: (error: unknown, begun?: Transaction) => void): void;
  commit?(connection: unknown, done: Done): void;
  rollback?(connection: unknown, done: Done): void;
  executeSQL?(sql: string, params: unknown, options: unknown, done: Done): void;
}

interface Transaction {
  connector: unknown;
  connection: unknown;
}

const IN_DOUBT =
  'The connection to the database broke during a commit; whether it was carried out is not known.';

const guarded = new WeakSet<object>();

/**
 * Has everything on a data source outlive the database's going away: the process, the pool's
 * places, and the words for it. It holds for all repositories of the data source, and for
 * transactions that the application begins itself. Connectors other than PostgreSQL's stay as they
 * are.
 */
export function guardConnector(connector: unknown): void {
  if (!isPostgresConnector(connector) || guarded.has(connector)) return;
  guarded.add(connector);
  const target = connector as unknown as Connector;
  hearErrors(target.pg);
  guardBegin(target);
  guardCallback(target, 'executeSQL');
  guardCallback(target, 'commit', IN_DOUBT);
  guardCallback(target, 'rollback');
}

/**
 * Node ends a process in which nobody listens to an `error` event: `pg` raises it on the pool for
 * an idle connection, and on the connection itself while a transaction has it between two
 * statements. The pool replaces the one, and the transaction's next statement fails.
 */
function hearErrors(pool: Pool): void {
  if (pool.listenerCount('error') === 0) pool.on('error', ignore);
  const heard = new WeakSet<object>();
  pool.on('acquire', client => {
    if (heard.has(client)) return;
    heard.add(client);
    client.on('error', ignore);
  });
}

function ignore(): void {
  // Whoever uses the connection next is told.
}

/**
 * The connector keeps a connection for good on which BEGIN fails, and juggler one whose COMMIT an
 * observer forbids: each time the pool has a place less, until every call waits for ever. So the
 * connection is lent to the connector, and taken back when there is no transaction for it.
 */
function guardBegin(connector: Connector): void {
  const begin = connector.beginTransaction;
  if (!begin) return;
  connector.beginTransaction = function (this: Connector, level, done) {
    const loan = new Loan();
    begin.call(loan.lendTo(this), level, (error, transaction) => {
      if (error || !transaction) {
        loan.end(error);
        return done(asUnavailable(error));
      }
      transaction.connector = this;
      rollBackWhenForgotten(this, transaction, loan);
      done(error, transaction);
    });
  };
}

/** Juggler takes the connection from a transaction that has ended, or that could not. */
function rollBackWhenForgotten(connector: Connector, transaction: Transaction, loan: Loan): void {
  let {connection} = transaction;
  Object.defineProperty(transaction, 'connection', {
    configurable: true,
    enumerable: true,
    get: () => connection,
    set: (value: unknown) => {
      if (!value && loan.isOpen) connector.rollback?.(connection, ignore);
      connection = value;
    },
  });
}

/** One connection of the pool, and whether it has been given back. */
class Loan {
  private release: Release | undefined;

  get isOpen(): boolean {
    return this.release !== undefined;
  }

  /** The connector, with a pool whose next connection is this loan's. */
  lendTo(connector: Connector): Connector {
    const {pg} = connector;
    const connect: Pool['connect'] = done => {
      if (!done) return pg.connect();
      return pg.connect((error, client, release) => {
        const end: Release = reason => this.end(reason);
        if (!error && client) {
          this.release = release;
          // The connector goes this way when another transaction has waited for the connection.
          client.release = end;
        }
        done(error, client, end);
      });
    };
    const pool: unknown = Object.create(pg, {connect: {value: connect}});
    return Object.create(connector, {pg: {value: pool}}) as Connector;
  }

  /** Gives the connection back, once; with a reason, the pool does not use it again. */
  end(reason?: unknown): void {
    const {release} = this;
    this.release = undefined;
    release?.(reason);
  }
}

/** Has a method of the connector say {@link asUnavailable} what it answers its callback. */
function guardCallback(
  connector: Connector,
  name: 'executeSQL' | 'commit' | 'rollback',
  message?: string,
): void {
  const method = connector[name] as ((...args: unknown[]) => unknown) | undefined;
  if (!method) return;
  const guardedMethod = function (this: Connector, ...args: unknown[]): unknown {
    const done = args.pop() as Done;
    const tell: Done = (error, ...results) => done(asUnavailable(error, message), ...results);
    return method.call(this, ...args, tell);
  };
  Object.assign(connector, {[name]: guardedMethod});
}
