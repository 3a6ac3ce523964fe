import type {Change, CommittedTransaction} from '../../core/change';
import {TupleImage, type RowPlan} from './decode';
import {planRows, type EntityTable} from './describe';
import {PostgresLiveError} from './errors';
import {entityToReadAnew} from './marks';
import {PgoutputReader, type PgoutputMessage, type Relation} from './pgoutput';

/** An entity as one relation of the stream brings it. */
interface Route {
  readonly entity: string;
  readonly plan: RowPlan;
  /** The types of the entity's columns, to tell whether they have changed. */
  readonly types: string;
}

/** A transaction as it comes out, with where it stands in the log. */
export interface AssembledTransaction extends CommittedTransaction {
  readonly endLsn: bigint;
  /** When the server committed, in milliseconds of its own clock. */
  readonly committedAt: number;
  /** True where there were more changes than fit; they have been let go. */
  readonly tooLarge: boolean;
}

/** Collects the messages of one stream into whole transactions. */
export class TransactionAssembler {
  private readonly reader = new PgoutputReader();
  private readonly routes = new Map<number, readonly Route[]>();
  private xid: number | undefined;
  private changes: Change[] = [];
  private marks: string[] = [];
  private tooLarge = false;

  constructor(
    private readonly entities: readonly EntityTable[],
    private readonly markPrefix: string,
    private readonly maxChanges: number,
  ) {}

  /** Whether no transaction is half collected. */
  get isIdle(): boolean {
    return this.xid === undefined;
  }

  /**
   * Takes one message; answers the transaction that it completes.
   *
   * @throws PostgresLiveError `REPLICA_IDENTITY_INCOMPLETE` where a change lacks its old row
   */
  take(buffer: Buffer, from: number): AssembledTransaction | undefined {
    const message = this.reader.read(buffer, from);
    if (message.tag === 'commit') return this.complete(message);
    this.collect(message);
    return undefined;
  }

  private collect(message: Exclude<PgoutputMessage, {tag: 'commit'}>): void {
    switch (message.tag) {
      case 'begin':
        this.xid = message.xid;
        return;
      case 'relation':
        // Sent before a table's first change, and again after its definition may have changed.
        this.describe(message.relation);
        return;
      case 'insert':
        for (const {entity, plan} of this.routesOf(message.relation)) {
          this.add({kind: 'insert', entity, after: new TupleImage(plan, message.after)});
        }
        return;
      case 'update':
      case 'delete':
        this.replace(message);
        return;
      case 'truncate':
        for (const relation of message.relations) {
          for (const {entity} of this.routesOf(relation)) this.add({kind: 'truncate', entity});
        }
        return;
      case 'message':
        if (message.prefix === this.markPrefix) this.note(message.content);
        return;
      case 'other':
        return;
    }
  }

  /** Other columns than before mean rows that were written anew, of which the log tells nothing. */
  private describe(relation: Relation): void {
    const known = this.routes.get(relation.oid) ?? [];
    const routes = this.routesTo(relation);
    this.routes.set(relation.oid, routes);
    for (const {entity, types} of routes) {
      const before = known.find(route => route.entity === entity);
      if (before && before.types !== types) this.add({kind: 'truncate', entity});
    }
  }

  private note(message: string): void {
    const entity = entityToReadAnew(message);
    if (entity === undefined) this.marks.push(message);
    else this.add({kind: 'truncate', entity});
  }

  private replace(message: Extract<PgoutputMessage, {tag: 'update' | 'delete'}>): void {
    const {relation, before: old} = message;
    if (old === undefined) {
      throw new PostgresLiveError(
        'REPLICA_IDENTITY_INCOMPLETE',
        `a change of ${relation.schema}.${relation.name} came without its old row`,
      );
    }
    for (const {entity, plan} of this.routesOf(relation)) {
      const before = new TupleImage(plan, old);
      this.add(
        message.tag === 'delete'
          ? {kind: 'delete', entity, before}
          : {kind: 'update', entity, before, after: new TupleImage(plan, message.after)},
      );
    }
  }

  private add(change: Change): void {
    if (this.tooLarge) return;
    this.changes.push(change);
    if (this.changes.length > this.maxChanges) {
      this.tooLarge = true;
      this.changes = [];
    }
  }

  private complete(commit: Extract<PgoutputMessage, {tag: 'commit'}>): AssembledTransaction {
    const {endLsn, committedAt} = commit;
    const {xid, changes, marks, tooLarge} = this;
    this.xid = undefined;
    this.changes = [];
    this.marks = [];
    this.tooLarge = false;
    return {id: xid!, changes, marks, tooLarge, endLsn, committedAt};
  }

  private routesOf({oid}: Relation): readonly Route[] {
    return this.routes.get(oid) ?? [];
  }

  private routesTo(relation: Relation): Route[] {
    return this.entities
      .filter(({table}) => table.schema === relation.schema && table.name === relation.name)
      .map(entity => ({
        entity: entity.shape.name,
        plan: planRows(entity, relation.columns),
        types: typesOf(entity, relation),
      }));
  }
}

function typesOf({columns}: EntityTable, relation: Relation): string {
  const types = new Map(relation.columns.map(({name, typeOid}) => [name, typeOid]));
  return Object.values(columns).map(({name}) => types.get(name) ?? 'none').join();
}
