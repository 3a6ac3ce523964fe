import {readFileSync} from 'node:fs';
import type {Handshake} from '../../protocol/messages';
import type {WireError} from '../../protocol/errors';
import {RawClient} from './raw-client';

/** What one connection does, and all that the server sends to it for that. */
export type GoldenStep = GoldenHandshake | GoldenCall | GoldenEvent | GoldenLeave;

interface Sent {
  readonly name: string;
  /** Which connection: a name of the script's own. */
  readonly on: string;
  /** The events that follow, in their order. */
  readonly then?: readonly (readonly [event: string, message: unknown])[];
}
export interface GoldenHandshake extends Sent {
  readonly handshake: Handshake;
  /** Connected when left out. */
  readonly refused?: WireError;
}
export interface GoldenCall extends Sent {
  readonly call: string;
  readonly request: unknown;
  readonly reply: unknown;
}
/** Something happens to the server, of which the connection is told. */
export interface GoldenEvent extends Sent {
  readonly happens: string;
}

/** The connection is closed by its client. */
export interface GoldenLeave extends Sent {
  readonly leaves: true;
}

export interface GoldenFrames {
  readonly protocol: number;
  /** Played in order by a real server. */
  readonly session: readonly GoldenStep[];
  /** Refused by their form alone. */
  readonly refused: readonly {
    readonly name: string;
    readonly call: string;
    readonly request: unknown;
    readonly code: string;
  }[];
  /** Messages that a script cannot bring about. */
  readonly samples: readonly {
    readonly name: string;
    readonly event: string;
    readonly message: unknown;
  }[];
}

export function readGoldenFrames(): GoldenFrames {
  return JSON.parse(readFileSync('docs/protocol-frames.json', 'utf8')) as GoldenFrames;
}

/** What may stand for `<kind n>`. The same name stands for the same value everywhere. */
const KINDS: Record<string, (value: unknown) => boolean> = {
  channel: isText,
  epoch: isText,
  version: isText,
  token: value => isText(value) && value.split('.').length === 3,
  time: value => isText(value) && new Date(value).toJSON() === value,
  expires: value => Number.isSafeInteger(value) && (value as number) > Date.now(),
  message: isText,
  hash: value => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32,
};
const PLACEHOLDER = /^<(\w+) .+>$/;

/** Plays golden steps against a server, and answers them with what it has really sent. */
export class GoldenSession {
  private readonly values = new Map<string, unknown>();
  private readonly clients = new Map<string, RawClient>();

  constructor(
    private readonly url: string,
    private readonly happen: (what: string) => Promise<unknown>,
  ) {}

  /** The step with what the server sent; volatile values are replaced by the golden names. */
  async play(step: GoldenStep): Promise<GoldenStep> {
    const sent = await this.send(step);
    const then = [];
    for (const golden of step.then ?? []) then.push(this.named(golden, await this.event(step.on)));
    return {...step, ...sent, ...(step.then && {then})} as GoldenStep;
  }

  /** What the server has sent that no step has asked for. */
  get unasked(): [event: string, message: unknown][] {
    return [...this.clients.values()].flatMap(events);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private async send(step: GoldenStep): Promise<object> {
    if ('handshake' in step) return this.connect(step);
    if ('happens' in step) {
      await this.happen(step.happens);
      return {};
    }
    const client = this.clients.get(step.on)!;
    if ('leaves' in step) {
      client.close();
      return {};
    }
    const reply = await client.call(step.call, this.filled(step.request));
    client.frames.splice(client.frames.findIndex(([, content]) => content === reply), 1);
    return {reply: this.named(step.reply, reply)};
  }

  private async connect({on, handshake, refused}: GoldenHandshake): Promise<object> {
    const auth = {protocol: undefined, ...(this.filled(handshake) as object)};
    if (refused) return {refused: this.named(refused, await RawClient.refused(this.url, auth))};
    this.clients.set(on, await RawClient.connect(this.url, auth));
    return {};
  }

  private async event(on: string): Promise<unknown> {
    const client = this.clients.get(on)!;
    for (;;) {
      if (events(client).length > 0) return client.frames.shift();
      await new Promise<void>(resolve => client.socket.onAny(() => resolve()));
    }
  }

  /** Puts golden names in the places of the values that they stand for. */
  private named(golden: unknown, actual: unknown): unknown {
    const kind = typeof golden === 'string' && PLACEHOLDER.exec(golden)?.[1];
    if (kind) {
      if (!this.values.has(golden) && KINDS[kind](actual)) this.values.set(golden, actual);
      return this.values.get(golden) === actual ? golden : actual;
    }
    if (typeof actual !== 'object' || actual === null) return actual;
    const inner = (golden ?? {}) as Record<string, unknown>;
    if (Array.isArray(actual)) return actual.map((item, i) => this.named(inner[i], item));
    const named = ([name, item]: [string, unknown]) => [name, this.named(inner[name], item)];
    return Object.fromEntries(Object.entries(actual).map(named));
  }

  /** Puts values in the places of the golden names. */
  private filled(golden: unknown): unknown {
    const fill = (_: string, value: unknown) =>
      typeof value === 'string' && this.values.has(value) ? this.values.get(value) : value;
    return JSON.parse(JSON.stringify(golden, fill));
  }
}

function events({frames}: RawClient): [event: string, message: unknown][] {
  return frames.filter(([name]) => name !== 'answer');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
