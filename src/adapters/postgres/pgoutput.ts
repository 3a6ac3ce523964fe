/**
 * Reads the messages of PostgreSQL's output plugin `pgoutput`, protocol version 1.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * Tuples stay the server's own text, by column position: what the text means is for the decoder of
 * the table. (The parser of `pg-logical-replication` loses a leading U+FEFF of a text, and makes a
 * dictionary of every tuple.)
 */

/** Column values as text; `undefined` is a large value that the write left as it was. */
export type Tuple = (string | null | undefined)[];

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly {readonly name: string; readonly typeOid: number}[];
}

export type PgoutputMessage =
  | {readonly tag: 'begin'; readonly xid: number}
  | {readonly tag: 'commit'; readonly endLsn: bigint; readonly committedAt: number}
  | {readonly tag: 'relation'; readonly relation: Relation}
  | {readonly tag: 'insert'; readonly relation: Relation; readonly after: Tuple}
  | {
      readonly tag: 'update';
      readonly relation: Relation;
      /** Absent where the table's replica identity is not FULL. */
      readonly before?: Tuple;
      readonly after: Tuple;
    }
  | {readonly tag: 'delete'; readonly relation: Relation; readonly before?: Tuple}
  | {readonly tag: 'truncate'; readonly relations: readonly Relation[]}
  | {
      readonly tag: 'message';
      readonly transactional: boolean;
      readonly prefix: string;
      readonly content: string;
    }
  | {readonly tag: 'other'};

const OTHER: PgoutputMessage = {tag: 'other'};
/** Milliseconds from 1970, where Node begins, to 2000, where PostgreSQL does. */
const POSTGRES_EPOCH = 946_684_800_000;

/** Remembers the relations of one stream, so one reader belongs to one stream. */
export class PgoutputReader {
  private readonly relations = new Map<number, Relation>();
  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;

  /** @param from where the message begins in the buffer; it ends where the buffer does */
  read(buffer: Buffer, from = 0): PgoutputMessage {
    this.buffer = buffer;
    this.at = from;
    const tag = this.character();
    switch (tag) {
      case 'B':
        this.at += 16; // the commit's position and time, which the commit message repeats
        return {tag: 'begin', xid: this.uint32()};
      case 'C':
        this.at += 9; // flags, and the position of the commit record's beginning
        return {tag: 'commit', endLsn: this.uint64(), committedAt: this.time()};
      case 'R':
        return this.relationMessage();
      case 'I': {
        const relation = this.relation();
        this.at += 1; // 'N'
        return {tag: 'insert', relation, after: this.tuple()};
      }
      case 'U':
        return this.update();
      case 'D': {
        const relation = this.relation();
        const whole = this.character() === 'O';
        const before = this.tuple();
        return whole ? {tag: 'delete', relation, before} : {tag: 'delete', relation};
      }
      case 'T':
        return this.truncate();
      case 'M':
        return this.message();
      case 'O': // where the transaction came from
      case 'Y': // a type's name
        return OTHER;
      default:
        throw new Error(`unknown pgoutput message '${tag}'`);
    }
  }

  private relationMessage(): PgoutputMessage {
    const oid = this.uint32();
    const schema = this.text();
    const name = this.text();
    this.at += 1; // the replica identity; each change tells whether it has the old row
    const columns = this.list(this.uint16(), () => {
      this.at += 1; // whether it is part of the key: with a full identity all are
      const column = {name: this.text(), typeOid: this.uint32()};
      this.at += 4; // the type's modifier
      return column;
    });
    const relation = {oid, schema: schema === '' ? 'pg_catalog' : schema, name, columns};
    this.relations.set(oid, relation);
    return {tag: 'relation', relation};
  }

  private update(): PgoutputMessage {
    const relation = this.relation();
    const kind = this.character();
    if (kind === 'N') return {tag: 'update', relation, after: this.tuple()};
    const before = this.tuple();
    this.at += 1; // 'N'
    const after = this.tuple();
    if (kind === 'K') return {tag: 'update', relation, after};
    for (let i = 0; i < after.length; i++) after[i] = after[i] === undefined ? before[i] : after[i];
    return {tag: 'update', relation, before, after};
  }

  private truncate(): PgoutputMessage {
    const count = this.uint32();
    this.at += 1; // CASCADE and RESTART IDENTITY: the tables reached are listed anyway
    return {tag: 'truncate', relations: this.list(count, () => this.relation())};
  }

  private message(): PgoutputMessage {
    const transactional = (this.buffer[this.at] & 1) === 1;
    this.at += 9; // flags, and the message's position
    const prefix = this.text();
    const length = this.uint32();
    const content = this.buffer.toString('utf8', this.at, this.at + length);
    return {tag: 'message', transactional, prefix, content};
  }

  private tuple(): Tuple {
    const {buffer} = this;
    const count = this.uint16();
    const tuple: Tuple = new Array(count);
    for (let i = 0; i < count; i++) {
      const kind = buffer[this.at++];
      if (kind === 0x74 /* t, text */) {
        const length = this.uint32();
        tuple[i] = buffer.toString('utf8', this.at, (this.at += length));
      } else if (kind === 0x6e /* n, NULL */) {
        tuple[i] = null;
      } else if (kind === 0x75 /* u, unchanged */) {
        tuple[i] = undefined;
      } else {
        throw new Error(`unknown kind of column value '${String.fromCharCode(kind)}'`);
      }
    }
    return tuple;
  }

  private relation(): Relation {
    const oid = this.uint32();
    const relation = this.relations.get(oid);
    if (relation === undefined) throw new Error(`a change of the undescribed relation ${oid}`);
    return relation;
  }

  private list<T>(length: number, read: () => T): T[] {
    return Array.from({length}, read);
  }

  private character(): string {
    return String.fromCharCode(this.buffer[this.at++]);
  }

  private uint16(): number {
    return this.buffer.readUInt16BE((this.at += 2) - 2);
  }

  private uint32(): number {
    return this.buffer.readUInt32BE((this.at += 4) - 4);
  }

  private uint64(): bigint {
    return this.buffer.readBigUInt64BE((this.at += 8) - 8);
  }

  private time(): number {
    return Number(this.buffer.readBigInt64BE((this.at += 8) - 8)) / 1000 + POSTGRES_EPOCH;
  }

  /** A text that ends with a zero byte. */
  private text(): string {
    const end = this.buffer.indexOf(0, this.at);
    const text = this.buffer.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }
}
