import {FilterGuard} from '../../core/access';
import {Channel} from '../../core/channel';
import type {CommittedTransaction} from '../../core/change';
import {RecentTransactions} from '../../core/history';
import {LiveHub} from '../../core/hub';
import {Laggards} from '../../core/laggards';
import {MatchIndex} from '../../core/match-index';
import {versionBehaviour} from '../../mixins/behaviours/version';
import * as envelope from '../../mixins/crypto/envelope';
import * as postgresDifferences from '../../mixins/executors/postgres-differences';
import {raw} from '../../mixins/executors/sql';
import type {PageMeta} from '../../protocol/page';

/** A way to break a law of the live views, to see whether anybody notices. */
export interface Break {
  readonly law: string;
  /** Breaks it, and answers the way back. */
  begin(): () => void;
}

/** Nothing is broken: those who look must find nothing. */
export const NOTHING: Break = {law: 'nothing', begin: () => () => undefined};

export const BREAKS: readonly Break[] = [
  {
    law: '1: it tells of a change that was never committed',
    begin: () =>
      onCommit((deliver, transaction, n, publish) => {
        const [change] = transaction.changes;
        if (n % 10 === 0 && change.kind === 'update') {
          const {key, values, raw} = change.after;
          const name = 'Product that never was';
          const after = {key, values: {...values, name}, raw: {...raw, name}};
          deliver({...transaction, changes: [{...change, after}], marks: []});
          publish();
        }
        deliver(transaction);
      }),
  },
  {
    law: '2: it loses a transaction',
    begin: () =>
      onCommit((deliver, transaction, n) => {
        deliver(n % 10 === 0 ? {...transaction, changes: []} : transaction);
      }),
  },
  {
    law: '2: it delivers a transaction again, later',
    begin: () => {
      const past: CommittedTransaction[] = [];
      return onCommit((deliver, transaction, n) => {
        past.push({...transaction, marks: []});
        deliver(transaction);
        if (n % 10 === 0) deliver(past[past.length - 8]);
      });
    },
  },
  {
    law: '2: it swaps two transactions',
    begin: () => {
      let held: CommittedTransaction | undefined;
      return onCommit((deliver, transaction, n) => {
        if (n % 5 === 0 && !held) {
          held = transaction;
          return deliver({...transaction, changes: []});
        }
        deliver(transaction);
        if (held) deliver({...held, marks: []});
        held = undefined;
      });
    },
  },
  {
    law: '3: it tears transactions apart',
    begin: () =>
      onCommit((deliver, transaction, _, publish) => {
        for (const change of transaction.changes) {
          deliver({...transaction, changes: [change], marks: []});
          publish();
        }
        deliver({...transaction, changes: []});
      }),
  },
  {
    law: '3: it counts wrongly',
    begin: () => {
      const channel = Channel.prototype as unknown as {metaOf(state: object): PageMeta};
      let calls = 0;
      return replaced(channel, 'metaOf', metaOf => function (this: unknown, state: object) {
        const meta = metaOf.call(this as never, state);
        return ++calls % 10 || meta.count === undefined ? meta : {...meta, count: meta.count + 1};
      });
    },
  },
  {
    law: '4: it forgets what was committed while it read',
    begin: () => replaced(RecentTransactions.prototype, 'unseenBy', () => () => []),
  },
  {
    law: '5: its filters mask nothing',
    begin: () => replaced(FilterGuard.prototype, 'after', () => async (_, row) => row),
  },
  {
    law: '6: it goes on sending to who does not read',
    begin: () => replaced(Laggards.prototype, 'part', () => () => undefined),
  },
  {
    law: '7: a write makes no version',
    begin: () => replaced(versionBehaviour, 'change', () => () => ({})),
  },
  {
    law: '7: a write that changes nothing makes a version',
    begin: () =>
      replaced(changeable(postgresDifferences), 'differences', () => () => raw('(TRUE)')),
  },
  {
    law: '8: it stores a secret as it is',
    begin: () =>
      replaced(changeable(envelope), 'seal', () => (_, plain) => plain.toString()),
  },
  {
    law: '9: it asks every window',
    begin: () =>
      replaced(MatchIndex.prototype, 'touchedBy', () => function (this: unknown, {entity}, tell) {
        const {entities} = this as {entities: Map<string, {windows: Map<object, unknown>}>};
        for (const window of entities.get(entity)?.windows.keys() ?? []) tell(window);
      }),
  },
];

type Deliver = (transaction: CommittedTransaction) => void;

/**
 * Puts something between the feed and the hub for transactions that change something. `publish`
 * sends what has moved so far, without waiting for what else comes in the same piece.
 */
function onCommit(
  between: (
    deliver: Deliver,
    transaction: CommittedTransaction,
    n: number,
    publish: () => void,
  ) => void,
): () => void {
  let n = 0;
  return replaced(LiveHub.prototype, 'committed', committed =>
    function (this: LiveHub, transaction: CommittedTransaction) {
      const deliver: Deliver = each => committed.call(this, each);
      const publish = () => (this as unknown as {publishMoved(): void}).publishMoved();
      if (transaction.changes.length === 0) deliver(transaction);
      else between(deliver, transaction, ++n, publish);
    },
  );
}

/** A module's functions, which other modules call through it. */
function changeable<T extends object>(module: T): {-readonly [K in keyof T]: T[K]} {
  return module;
}

function replaced<T extends object, K extends keyof T>(
  target: T,
  method: K,
  by: (original: T[K]) => T[K],
): () => void {
  const original = target[method];
  target[method] = by(original);
  return () => void (target[method] = original);
}
