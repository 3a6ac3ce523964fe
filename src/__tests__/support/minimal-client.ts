import {io, type Socket} from 'socket.io-client';

type Row = Record<string, unknown>;
type Fault = {code: string; statusCode: number};
type Op = {op: string; key: string; at: number; row: Row; set: Row; unset?: string[]};
type Delta = {channel: string; seq: number; from?: number; ops: Op[]; meta: never; hash?: number};
type Page = {channel: string; epoch: string; seq: number; keys: string[]; rows: Row[]; meta: never};
type Reply =
  | {ok: false; error: Fault}
  | {ok: true; kind: 'snapshot'; snapshot: Page}
  | {ok: true; kind: 'resumed'; channel: string; deltas: Delta[]};

/**
 * A second client, written from `docs/protocol.md` alone: it imports nothing of `src`. It shows
 * that the document suffices, and is a sketch for a client in another language.
 */
export class MinimalClient {
  readonly still = new Set<string>();
  readonly subscriptions = new Set<MinimalSubscription>();
  onLogout: (code: string) => void = () => {};
  readonly socket: Socket;

  constructor(url: string, private token?: string) {
    const auth = (tell: (auth: object) => void) =>
      tell({protocol: 2, ...(this.token !== undefined && {token: this.token})});
    this.socket = io(url, {path: '/realtime', forceNew: true, auth, reconnectionDelay: 5});
    this.socket.on('connect', () => this.each(one => one.ask(one.page)));
    this.socket.on('disconnect', () => {
      this.still.clear();
      this.each(one => one.lost());
    });
    this.socket.on('connect_error', (error: Error & {data?: Fault}) => this.refused(error.data));
    this.socket.on('delta', (delta: Delta) => this.each(one => one.hear(delta)));
    this.socket.on('snapshot', (page: Page) => this.each(one => one.replaced(page)));
    this.socket.on('ended', ({channel, error}: {channel: string; error: Fault}) =>
      this.each(one => one.ended(channel, error)));
    this.socket.on('logout', ({error}: {error: Fault}) => this.onLogout(error.code));
    this.socket.on('feed', ({types, live}: {types: string[]; live: boolean}) => {
      for (const type of types) this.still[live ? 'delete' : 'add'](type);
      this.each(one => one.changed());
    });
  }

  /** Leaves a channel that nobody is in any more. */
  leave(channel: string): void {
    const isShared = [...this.subscriptions].some(one => one.page?.channel === channel);
    if (!isShared) this.socket.emit('unsubscribe', {channel}, () => {});
  }

  each(tell: (one: MinimalSubscription) => unknown): void {
    for (const one of [...this.subscriptions]) tell(one);
  }

  private refused(fault?: Fault): void {
    if (!fault) return;
    if (fault.code !== 'NOT_AUTHENTICATED') return this.each(one => one.end(fault));
    this.token = undefined;
    this.socket.connect();
  }
}

export class MinimalSubscription {
  page?: Page;
  fault?: Fault;
  readonly listeners: (() => void)[] = [];
  private early: Delta[] = [];
  private endings = new Map<string, Fault>();
  private patient = false;
  private asking = 0;
  private answered = false;
  /** The page is that of the person who was signed in before. */
  private isAnothers = false;

  constructor(private readonly client: MinimalClient, private readonly ref: {type: string}) {
    client.subscriptions.add(this);
    if (client.socket.connected) this.ask();
  }

  get status(): 'loading' | 'live' | 'stale' | 'ended' {
    if (this.fault) return 'ended';
    if (!this.page) return 'loading';
    return this.answered && !this.client.still.has(this.ref.type) ? 'live' : 'stale';
  }

  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** Asks for the page anew, or with `from` for what came after it. */
  ask(from?: Page, diverged = false): void {
    const resume = from && {channel: from.channel, epoch: from.epoch, seq: from.seq};
    const attempt = ++this.asking;
    this.patient ||= this.page !== undefined;
    this.answered = false;
    this.early = [];
    this.endings.clear();
    const request = {ref: this.ref, ...(resume && {resume}), ...(diverged && {diverged})};
    this.client.socket.emit('subscribe', request, (reply: Reply) => {
      if (attempt !== this.asking) return;
      const isBusy = !reply.ok && [429, 503].includes(reply.error.statusCode);
      if (!isBusy || !this.patient) return this.answer(reply);
      // The protocol says: a little later.
      setTimeout(() => attempt === this.asking && this.ask(from, diverged), 50);
      this.postponed();
    });
    this.changed();
  }

  lost(): void {
    this.asking++;
    this.answered = false;
    this.changed();
  }

  ended(channel: string, error: Fault): void {
    if (this.page?.channel === channel) this.end(error);
    else if (!this.answered) this.endings.set(channel, error);
  }

  end(error: Fault): void {
    if (error.code === 'SESSION_CHANGED') {
      this.patient = this.isAnothers = true;
      return this.ask();
    }
    this.fault = error;
    this.client.subscriptions.delete(this);
    this.changed();
  }

  close(): void {
    this.asking++;
    this.client.subscriptions.delete(this);
    if (this.page) this.client.leave(this.page.channel);
  }

  hear(delta: Delta): void {
    if (!this.answered) this.early.push(delta);
    else if (delta.channel === this.page!.channel) this.follow([delta]);
  }

  replaced(page: Page): void {
    if (!this.answered || page.channel !== this.page!.channel) return;
    this.page = page;
    this.changed();
  }

  private postponed(): void {
    if (this.isAnothers) this.page = undefined;
    this.changed();
  }

  private answer(reply: Reply): void {
    if (!reply.ok) return this.end(reply.error);
    const {channel} = reply.kind === 'snapshot' ? reply.snapshot : reply;
    const over = this.endings.get(channel);
    if (over) {
      this.end(over);
      return this.client.leave(channel);
    }
    if (reply.kind === 'snapshot') this.page = reply.snapshot;
    this.answered = true;
    this.isAnothers = false;
    const deltas = reply.kind === 'resumed' ? reply.deltas : [];
    this.follow([...deltas, ...this.early.filter(delta => delta.channel === channel)]);
  }

  private follow(deltas: Delta[]): void {
    for (const delta of deltas) {
      const page = this.page!;
      if (delta.seq <= page.seq) continue;
      if (delta.seq !== page.seq + 1 && delta.from !== page.seq) return this.ask();
      const next = applied(page, delta);
      if (!next) return this.ask(undefined, true);
      this.page = next;
    }
    this.changed();
  }
}

/** The page after a delta; undefined where a step or the hash does not fit. */
function applied(page: Page, {ops, seq, meta, hash}: Delta): Page | undefined {
  const entries = page.keys.map((key, i) => ({key, row: page.rows[i]}));
  for (const {op, key, at, row, set, unset = []} of ops) {
    const place = entries.findIndex(entry => entry.key === key);
    if ((op === 'insert') !== (place < 0)) return undefined;
    if (op === 'patch') {
      const kept = Object.entries({...entries[place].row, ...set});
      const left = Object.fromEntries(kept.filter(([name]) => !unset.includes(name)));
      entries[place] = {key, row: left};
      continue;
    }
    const [entry] = op === 'insert' ? [{key, row}] : entries.splice(place, 1);
    if (op === 'remove') continue;
    if (at < 0 || at > entries.length) return undefined;
    entries.splice(at, 0, entry);
  }
  const [keys, rows] = [entries.map(entry => entry.key), entries.map(entry => entry.row)];
  if (hash !== undefined && hash !== hashOf(keys, rows)) return undefined;
  return {...page, seq, keys, rows, meta};
}

function hashOf(keys: string[], rows: Row[]): number {
  const text = keys.map((key, i) => `${key}\0${String(rows[i]._version ?? '')}\0`).join('');
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash >>> 0;
}
