import assert from 'node:assert/strict';
import {auditWindow} from '../../../core/audit';
import type {RowImage} from '../../../core/change';
import {Tally} from '../../../core/counters';
import {RecentTransactions} from '../../../core/history';
import {LiveWindow, type WindowContext, type WindowSpec} from '../../../core/live-window';
import type {EntityShape} from '../../../core/shape';
import {WindowPool} from '../../../core/window-pool';

const SHAPE: EntityShape = {
  name: 'Item',
  ids: ['id'],
  properties: {id: {kind: 'text', hidden: false, encrypted: false}},
};
const SPEC: WindowSpec = {
  query: {
    entity: 'Item',
    condition: {kind: 'and', parts: []},
    order: [{property: 'id', descending: false}],
  },
  need: 2,
  counts: true,
};

describe('an audit of a window', () => {
  it('finds it equal to the database', async () => {
    const {window, context} = await opened(['a', 'b', 'c']);
    assert.equal(await auditWindow(window, context), 'equal');
  });

  it('finds a row that the window has and the database has not, and the reverse', async () => {
    for (const rows of [['a', 'c'], ['a', 'b', 'c', 'd'], ['b', 'a', 'c'], []]) {
      const {window, context, table} = await opened(['a', 'b', 'c']);
      table.rows = rows;
      assert.equal(await auditWindow(window, context), 'diverged', rows.join());
    }
  });

  it('finds a row with another value', async () => {
    const {window, context, table} = await opened(['a', 'b']);
    table.suffix = '2';
    assert.equal(await auditWindow(window, context), 'diverged');
  });

  it('does not mistake for an error what the window only does not keep', async () => {
    const many = Array.from({length: 40}, (_, i) => `row ${100 + i}`);
    const {window, context} = await opened(many);
    const {state} = window;
    window.state = {...state!, rows: state!.rows.slice(0, 5), beyond: true};
    assert.equal(await auditWindow(window, context), 'equal');
  });

  it('says nothing of a window that moves meanwhile', async () => {
    const {window, context, table} = await opened(['a']);
    const audit = auditWindow(window, {...context, live: async () => undefined});
    table.live = new Promise(() => undefined);
    window.refresh();
    assert.equal(await audit, 'unsure');
  });

  it('has a window that is wrong read anew, and counts', async () => {
    const table = tableOf(['a']);
    const tally = new Tally();
    const warnings: string[] = [];
    const pool = new WindowPool({
      shapes: new Map([['Item', SHAPE]]),
      maxWindows: 10, maxRows: 100, cacheDuration: 0,
      tally,
      logger: {warn: message => void warnings.push(message)},
      contextFor: () => contextOf(table),
      evict: () => false,
    });
    const {window, opened: ready} = pool.open(SPEC);
    await ready;
    await pool.audit();
    table.rows = ['a', 'b'];
    const healed = new Promise<void>(resolve => (table.changed = resolve));
    await pool.audit();
    await healed;
    const {audits, auditDivergences} = tally.snapshot;
    assert.deepEqual([audits, auditDivergences, warnings.length], [2, 1, 1]);
    assert.deepEqual(window.state?.rows.map(({key}) => key), ['a', 'b']);
    pool.closeAll();
  });
});

interface Table {
  rows: string[];
  suffix: string;
  live: Promise<void>;
  changed(): void;
}

function tableOf(rows: string[]): Table {
  return {rows, suffix: '', live: Promise.resolve(), changed: () => undefined};
}

async function opened(rows: string[]) {
  const table = tableOf(rows);
  const context = contextOf(table);
  const window = new LiveWindow(SPEC, context);
  await window.open();
  return {window, context, table};
}

function contextOf(table: Table): WindowContext {
  return {
    shape: SHAPE,
    source: {
      read: async (_, limit) => ({
        rows: table.rows.slice(0, limit).map(key => image(key, table.suffix)),
        total: table.rows.length,
        sees: () => true,
        mark: 'mark',
      }),
      judge: async () => [],
    },
    recent: new RecentTransactions(),
    live: () => table.live,
    epoch: () => 0,
    arrival: async () => undefined,
    gaveUp: () => undefined,
    admit: () => undefined,
    changed: () => table.changed(),
    failed: (_, error) => assert.fail(error),
    counted: () => undefined,
    shapeOf: () => SHAPE,
    watch: () => undefined,
  };
}

function image(key: string, suffix: string): RowImage {
  return {key, values: {id: key}, raw: {id: key, name: key + suffix}};
}
