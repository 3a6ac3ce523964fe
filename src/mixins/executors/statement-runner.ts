import type {Options} from '@loopback/repository';
import {asUnavailable} from '../../core/database-errors';
import {ForeignTransactionError, InvalidWhereError} from '../errors';
import type {PostgresConnector, Queryable} from './postgres-connector';
import {numbered, type Fragment} from './sql';
import {StatementNames} from './statement-names';

/** How a statement is named: lists and their like have as many texts as there are filters. */
export type Naming = 'named' | 'named list' | 'unnamed';

export interface Answer {
  readonly rows: unknown[][];
  readonly rowCount: number | null;
}

const DEFAULT_NAMED_STATEMENTS = 500;
/** PostgreSQL's protocol counts them in 16 bits. */
export const MAX_PARAMETERS = 65_535;
/**
 * The server found out before it ran anything: the table was altered (0A000), or a pooler has given
 * us a connection that does not know the name (26000).
 */
const PLAN_UNUSABLE: ReadonlySet<string> = new Set(['0A000', '26000']);

/** Sends statements by name, on the pool or in the caller's transaction. */
export class StatementRunner {
  private readonly names: Readonly<Record<Exclude<Naming, 'unnamed'>, StatementNames>>;
  private version?: Promise<number>;

  constructor(private readonly connector: PostgresConnector) {
    const {namedStatements = true} = connector.settings;
    const limit = namedStatements === true ? DEFAULT_NAMED_STATEMENTS : Number(namedStatements);
    // Lists must not use up the names of the rest.
    this.names = {
      named: new StatementNames(limit),
      'named list': new StatementNames(Math.floor(limit / 5)),
    };
  }

  /**
   * Runs a statement. One whose plan does not fit the table any more is repeated, unless it has
   * ended a transaction; the next try will pass there too.
   *
   * @throws DatabaseUnavailableError, and what else the database says
   */
  async run(
    statement: Fragment,
    options: Options,
    naming: Naming = 'named',
  ): Promise<Answer> {
    if (statement.params.length > MAX_PARAMETERS) {
      throw new InvalidWhereError(`The statement would have ${statement.params.length} values.`);
    }
    const names = naming === 'unnamed' ? undefined : this.names[naming];
    const {text, name} = names?.of(statement.sql) ?? {text: numbered(statement.sql)};
    const values = [...statement.params];
    const connection = this.connectionFor(options);
    try {
      return await answerOf(connection.query({name, text, values, rowMode: 'array'}));
    } catch (error) {
      if (!names || !name || !PLAN_UNUSABLE.has((error as {code?: string}).code ?? '')) throw error;
      names.forget(statement.sql);
      if (options.transaction) throw error;
      return answerOf(connection.query({text, values, rowMode: 'array'}));
    }
  }

  /** Such as 180000 for PostgreSQL 18; asked for once. */
  serverVersion(options: Options): Promise<number> {
    const text = 'SHOW server_version_num';
    this.version ??= this.run({sql: text, params: []}, options, 'unnamed')
      .then(({rows}) => Number(rows[0][0]))
      .catch(error => {
        this.version = undefined;
        throw error;
      });
    return this.version;
  }

  private connectionFor(options: Options): Queryable {
    const {transaction} = options;
    if (!transaction) return this.connector.pg;
    const {connection, txId, connector} = transaction;
    if (connector !== this.connector) throw new ForeignTransactionError('the repository');
    if (!connection || connection.txId !== txId) throw new Error('The transaction is not active.');
    return connection;
  }
}

function answerOf(query: Promise<Answer>): Promise<Answer> {
  return query.catch(error => {
    throw asUnavailable(error);
  });
}
