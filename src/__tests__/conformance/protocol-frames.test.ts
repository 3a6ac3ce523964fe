import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {checkRequest, type CallName} from '../../adapters/socketio/requests';
import {applyOps} from '../../protocol/apply';
import type {DeltaMessage} from '../../protocol/messages';
import type {PageState} from '../../protocol/page';
import {hashOfPage} from '../../protocol/page-hash';
import {REQUEST_SCHEMAS} from '../../protocol/schemas';
import {PROTOCOL_VERSION} from '../../protocol/version';
import {startPostgres18, type Postgres18, type TestDatabase} from '../support/databases';
import {
  GoldenSession,
  readGoldenFrames,
  type GoldenCall,
  type GoldenStep,
} from '../support/golden-frames';
import {givenShop, type Shop} from '../support/shop';

/**
 * What each version of the protocol says, in short: its frames and the schemas of its requests.
 * Whoever changes what travels raises the version and adds a line; a line that was published
 * stays as it is, unless only an example was added.
 */
const SEALS: Readonly<Record<number, string>> = {
  2: '9c4039126eb78e10a96b6a096c0b03cf868f6422ebb8a3b4a85e0d4a1dc586de',
};
const DEPTH = 32;

/** The JSON blocks of the document, in their order. */
type Samples = [reply: object, refusal: object, PageState, DeltaMessage, error: object];

describe('the golden frames of the protocol', () => {
  const golden = readGoldenFrames();
  const calls = golden.session.filter(step => 'call' in step);

  it('are of the version that is spoken, and as they were when it was sealed', () => {
    assert.equal(golden.protocol, PROTOCOL_VERSION);
    const said = JSON.stringify({golden, schemas: REQUEST_SCHEMAS});
    const seal = createHash('sha256').update(said).digest('hex');
    assert.equal(seal, SEALS[PROTOCOL_VERSION], 'a frame has changed: raise the version');
  });

  it('have names that tell them apart, and an accepted one of every call', () => {
    const names = [...golden.session, ...golden.refused, ...golden.samples].map(({name}) => name);
    assert.deepEqual(names, [...new Set(names)]);
    const accepted = calls.filter(step => (step.reply as {ok: boolean}).ok).map(step => step.call);
    assert.deepEqual([...new Set(accepted)].sort(), Object.keys(REQUEST_SCHEMAS).sort());
  });

  describe('sent by a client', () => {
    for (const {name, call, request} of calls.filter(step => codeOf(step) !== 'BAD_REQUEST')) {
      it(`${name}: has its form`, () => {
        assert.deepEqual(checkRequest(call as CallName, request, DEPTH), request);
      });
    }
    for (const {name, call, request, code} of golden.refused) {
      it(`${name}: is refused by its form`, () => {
        assert.throws(() => checkRequest(call as CallName, request, DEPTH), {code});
      });
    }
  });

  describe('sent by a server on PostgreSQL 18', function () {
    this.timeout(60_000);
    let server: Postgres18;
    let database: TestDatabase;
    let shop: Shop;
    let session: GoldenSession;
    let broken = false;

    before(async () => {
      server = await startPostgres18();
      database = await server.createDatabase('frames');
      const quiet = {warn() {}, error() {}};
      shop = await givenShop(database, {logger: quiet, defaultPageSize: 10});
      const what: Record<string, () => Promise<unknown>> = {
        'the database stops': () => server.stop(),
        'the database starts': () => server.start(),
      };
      session = new GoldenSession(shop.url, happens => what[happens]());
    });
    after(async () => {
      session?.close();
      await shop?.shutDown();
      await server?.remove();
    });

    // Each step stands on the one before it.
    beforeEach(function () {
      if (broken) this.skip();
    });
    afterEach(function () {
      broken ||= this.currentTest?.state === 'failed';
    });

    for (const step of golden.session) {
      it(step.name, async () => assert.deepEqual(await session.play(step), step));
    }

    it('and nothing else', () => assert.deepEqual(session.unasked, []));
  });

  describe('and the document', () => {
    const document = readFileSync('docs/protocol.md', 'utf8');
    const blocks = [...document.matchAll(/```json\n(.*?)```/gs)];
    const samples: unknown = blocks.map(([, json]) => JSON.parse(json));
    const [, refusal, page, delta, error] = samples as Samples;
    const messages = (event: string) =>
      golden.session.flatMap(step => step.then ?? []).filter(([name]) => name === event);

    it('name the same version', () => {
      assert.match(document, new RegExp(`Protocol version: \\*\\*${golden.protocol}\\*\\*`));
    });

    it('show the same refusal, word by word', () => {
      assert.deepEqual(refusal, replyOf('subscribe to a view that there is not'));
    });

    it('show a page like those that travel', () => {
      const {snapshot} = replyOf('subscribe to a page of a view') as {snapshot: PageState};
      assert.deepEqual(Object.keys(page).filter(name => !(name in snapshot)), []);
      assert.deepEqual(typesOf(page.meta), typesOf(snapshot.meta));
    });

    it('show a delta that fits the page, with its hash, like those that travel', () => {
      const after = applyOps(page, delta.ops, delta.meta);
      assert.equal(delta.hash, hashOfPage(after.keys, after.rows));
      const travelled = messages('delta').map(([, message]) => message as DeltaMessage);
      for (const name of Object.keys(delta)) assert.ok(travelled.every(each => name in each), name);
      const steps = travelled.flatMap(({ops}) => ops);
      for (const {op, ...rest} of delta.ops) {
        const same = steps.filter(step => step.op === op);
        assert.ok(same.length > 0, `no ${op} travels`);
        const known = new Set(same.flatMap(step => Object.keys(step)));
        if (op === 'patch') known.add('unset');
        assert.deepEqual(Object.keys(rest).filter(name => !known.has(name)), [], op);
      }
    });

    it('show an error like those that travel', () => {
      const {error: stale} = replyOf('update with a stale version') as {error: object};
      assert.deepEqual(typesOf(error), typesOf(stale));
    });

    it('list every call, every code with its status, and every message', () => {
      for (const {call} of calls.filter(step => (step.reply as {ok: boolean}).ok)) {
        assert.match(document, new RegExp(`^\\| \`${call}\` \\|`, 'm'));
      }
      const errors = JSON.stringify(golden).matchAll(/"code":"(\w+)"[^{}]*?"statusCode":(\d+)/g);
      for (const [, code, status] of errors) {
        assert.match(document, new RegExp(`^\\| .*\`${code}\`.* \\| ${status}`, 'm'), code);
      }
      const events = ['delta', 'snapshot', 'ended', 'feed', 'logout', 'session'];
      const shown = golden.samples.map(({event}) => event);
      for (const event of events) {
        assert.ok(document.includes(`\`${event}\``), event);
        assert.ok(shown.includes(event) || messages(event).length > 0, event);
      }
    });
  });

  function replyOf(name: string): unknown {
    const step = golden.session.find((each: GoldenStep) => each.name === name);
    assert.ok(step && 'reply' in step, name);
    return step.reply;
  }
});

function codeOf({reply}: GoldenCall): string | undefined {
  return (reply as {error?: {code: string}}).error?.code;
}

function typesOf(value: object): object {
  const types = Object.entries(value).map(([name, item]) => [name, typeof item]);
  return Object.fromEntries(types.sort());
}
