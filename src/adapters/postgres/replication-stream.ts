import {randomBytes} from 'node:crypto';
import {Client, escapeIdentifier, type ClientConfig} from 'pg';
import {explain, PostgresLiveError} from './errors';

/** Receives what a stream carries. */
export interface StreamHandler {
  /** One message of the output plugin; it starts at `from` and is only valid during the call. */
  message(buffer: Buffer, from: number): void;
  /** The server says how far it has sent; asked whether everything before is dealt with. */
  isIdle(): boolean;
  /** The stream has ended, other than by {@link ReplicationStream.close}. Called once. */
  lost(error: Error): void;
}

/** The `pg` client's connection, of which its types do not speak. */
interface RawConnection {
  on(event: 'copyData', listener: (message: {chunk: Buffer}) => void): void;
  once(event: 'replicationStart', listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
  readonly stream: {destroy(): void};
}

const XLOG_DATA = 0x77; // 'w'
const KEEPALIVE = 0x6b; // 'k'
/** Bytes before the plugin's message: kind, start, end, time. */
const XLOG_HEADER = 25;
const ACKNOWLEDGE_AFTER_MS = 100;
const PATIENCE_MS = 400;
/** A server that decodes much of no interest to us is silent for up to half its own patience. */
const SILENCE_LIMIT_MS = 30_000;
const PROBES = 3;

/**
 * One logical replication connection on a temporary slot of its own. The slot is gone with the
 * connection, so a dead process never makes the server keep its log.
 */
export class ReplicationStream {
  private readonly client: Client;
  private readonly connection: RawConnection;
  readonly slot = `live_${randomBytes(8).toString('hex')}`;
  private received = 0n;
  private acknowledging: NodeJS.Timeout | undefined;
  private probing: NodeJS.Timeout | undefined;
  private heardAt = Date.now();
  private probedAt = Date.now();
  /** Since when a probe is unanswered. */
  private askedAt: number | undefined;
  private ended = false;

  constructor(
    config: ClientConfig,
    private readonly publication: string,
    private readonly handler: StreamHandler,
    /** Milliseconds without a sound after which the stream has ended. */
    private readonly silenceLimit = SILENCE_LIMIT_MS,
  ) {
    // The client's type knows `replication` only as part of a URL. The name shows who is using the
    // publication, so that one that nobody uses can be told.
    const settings = {...config, application_name: publication, replication: 'database'};
    this.client = new Client(settings as ClientConfig);
    this.connection = (this.client as unknown as {connection: RawConnection}).connection;
    this.client.on('error', error => this.end(error));
    this.client.on('end', () => this.end());
  }

  /** From here on the server shows that the publication is in use. */
  async connect(): Promise<void> {
    try {
      await this.client.connect();
    } catch (error) {
      throw explain(error);
    }
  }

  /** Resolves once the slot is made and streams. Waits for transactions that are open already. */
  async open(): Promise<void> {
    try {
      await this.client.query(
        `CREATE_REPLICATION_SLOT ${this.slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
      );
    } catch (error) {
      throw explain(error);
    }
    const started = new Promise<void>(resolve => {
      this.connection.once('replicationStart', resolve);
    });
    this.connection.on('copyData', ({chunk}) => this.take(chunk));
    const streaming = this.client.query(
      `START_REPLICATION SLOT ${this.slot} LOGICAL 0/0 (proto_version '1', ` +
        `publication_names '${escapeIdentifier(this.publication)}', messages 'true')`,
    );
    const failed = streaming.then(
      () => this.end(),
      error => {
        this.end(error);
        throw explain(error);
      },
    );
    // After the start it can only fail together with the connection, which is heard above.
    failed.catch(() => undefined);
    await Promise.race([started, failed]);
    this.probing = setInterval(() => this.probe(), this.silenceLimit / PROBES);
    this.probing.unref();
  }

  /** Everything up to this position has been dealt with. Tells the server soon. */
  acknowledge(position: bigint): void {
    if (position > this.received) this.received = position;
    this.acknowledging ??= setTimeout(() => this.sendStatus(false), ACKNOWLEDGE_AFTER_MS).unref();
  }

  /** The server's process that sends, once there is one. */
  get processId(): number | undefined {
    return (this.client as unknown as {processID: number | null}).processID ?? undefined;
  }

  /** Milliseconds that the server has left a probe unanswered. */
  get unansweredMs(): number {
    return this.askedAt === undefined ? 0 : Date.now() - this.askedAt;
  }

  /** Ends the stream; its slot goes with it. Half a second at most. */
  async close(): Promise<void> {
    this.forget();
    const patience = setTimeout(() => this.connection.stream.destroy(), PATIENCE_MS);
    await this.client.end().catch(() => undefined);
    clearTimeout(patience);
  }

  private take(chunk: Buffer): void {
    if (this.ended) return;
    this.heardAt = Date.now();
    this.askedAt = undefined;
    try {
      if (chunk[0] === XLOG_DATA) {
        this.handler.message(chunk, XLOG_HEADER);
      } else if (chunk[0] === KEEPALIVE) {
        if (this.handler.isIdle()) this.acknowledge(chunk.readBigUInt64BE(1));
        if (chunk[17] === 1) this.sendStatus(false);
      }
    } catch (error) {
      this.connection.stream.destroy();
      this.end(error);
    }
  }

  private probe(): void {
    // When this process itself was held up, what the server said may still wait to be read.
    const late = Date.now() - this.probedAt > (2 * this.silenceLimit) / PROBES;
    this.probedAt = Date.now();
    if (late) this.heardAt = this.probedAt;
    if (Date.now() - this.heardAt > this.silenceLimit) {
      this.connection.stream.destroy();
      this.end(new PostgresLiveError('CONNECTION_LOST', 'the server has been silent for too long'));
    } else {
      this.askedAt ??= Date.now();
      this.sendStatus(true);
    }
  }

  private sendStatus(askForReply: boolean): void {
    clearTimeout(this.acknowledging);
    this.acknowledging = undefined;
    if (this.ended) return;
    const status = Buffer.alloc(34);
    status.write('r');
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(this.received, at); // got, kept, applied
    status.writeBigInt64BE(BigInt(Date.now() - 946_684_800_000) * 1000n, 25);
    status[33] = Number(askForReply);
    this.connection.sendCopyFromChunk(status);
  }

  private end(thrown?: unknown): void {
    if (this.ended) return;
    this.forget();
    const cause = thrown === undefined ? undefined : explain(thrown);
    this.handler.lost(
      cause ?? new PostgresLiveError('CONNECTION_LOST', 'the server ended the replication stream'),
    );
  }

  private forget(): void {
    this.ended = true;
    clearTimeout(this.acknowledging);
    clearInterval(this.probing);
  }
}
