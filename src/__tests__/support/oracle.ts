import type {TestDatabase} from './databases';

/** A row of the watched table as the database has it, by column. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** All rows of the table after one commit, by id. */
export type TableState = ReadonlyMap<string, StoredRow>;

/**
 * Knows what a table held after each commit, without any code of the package: a trigger notes what
 * every transaction did, and a replication slot of its own says in which order they committed.
 */
export class Oracle {
  /** The last state that was answered. */
  private latest: TableState = new Map();

  private constructor(
    private readonly database: TestDatabase,
    private readonly table: string,
  ) {}

  /** Begins to watch; the table's rows at this moment are the first state. */
  static async watching(database: TestDatabase, table: string): Promise<Oracle> {
    await database.query(`
      CREATE TABLE oracle_log (
        seq bigserial, xid bigint DEFAULT pg_current_xact_id()::text::bigint, id text, image jsonb);
      CREATE FUNCTION oracle_note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP <> 'INSERT' THEN INSERT INTO oracle_log (id) VALUES (OLD.id); END IF;
        IF TG_OP <> 'DELETE' THEN
          INSERT INTO oracle_log (id, image) VALUES (NEW.id, to_jsonb(NEW));
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER oracle_note AFTER INSERT OR UPDATE OR DELETE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION oracle_note();
      CREATE PUBLICATION oracle_publication FOR TABLE oracle_log WITH (publish = 'insert');`);
    const slot = slotOf(database);
    await database.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    await database.query(
      `INSERT INTO oracle_log (id, image) SELECT id, to_jsonb(t) FROM ${table} t`,
    );
    return new Oracle(database, table);
  }

  /**
   * The states after each commit since the last call, in commit order, headed by the last state
   * that was answered before.
   */
  async states(): Promise<TableState[]> {
    const order = await this.database.query(
      `SELECT ('x' || encode(substring(data from 18 for 4), 'hex'))::bit(32)::bigint AS xid
       FROM pg_logical_slot_get_binary_changes($1, NULL, NULL,
         'proto_version', '1', 'publication_names', 'oracle_publication')
       WHERE get_byte(data, 0) = ascii('B')`,
      [slotOf(this.database)],
    );
    const log = await this.database.query(
      `WITH gone AS (DELETE FROM oracle_log WHERE xid = ANY($1) RETURNING *)
       SELECT xid, id, image FROM gone ORDER BY seq`,
      [order.map(({xid}) => xid)],
    );
    const byTransaction = groupBy(log, ({xid}) => String(xid));
    const states: TableState[] = [this.latest];
    for (const {xid} of order) {
      const changes = byTransaction.get(String(xid));
      if (!changes) continue;
      const state = new Map(this.latest);
      for (const {id, image} of changes) {
        if (image === null) state.delete(id as string);
        else state.set(id as string, image as StoredRow);
      }
      states.push((this.latest = state));
    }
    return states;
  }

  async stop(): Promise<void> {
    await this.database.query('SELECT pg_drop_replication_slot($1)', [slotOf(this.database)]);
    await this.database.query(
      `DROP TRIGGER oracle_note ON ${this.table}; DROP PUBLICATION oracle_publication;
       DROP FUNCTION oracle_note; DROP TABLE oracle_log`,
    );
  }
}

/** Slots are the server's, not the database's: the name must be unique among all test databases. */
function slotOf(database: TestDatabase): string {
  return `oracle_${new URL(database.url).pathname.replace(/\W/g, '')}`.slice(0, 63);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
