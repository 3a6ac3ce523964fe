import type {juggler} from '@loopback/repository';
import fc from 'fast-check';
import type {BehaviourName} from '../../mixins/behaviour';
import {ALL, givenMemory, givenPostgresSource} from '../support/behaviours';
import {givenPostgres15, givenPostgres18} from '../support/databases';
import {givenMariaDatabase, givenMariaSource} from '../support/mariadb';
import {Comparison} from './repository-model.real';
import {steps, type Step} from './repository-model.steps';

/** Seconds for each engine. `MODEL_SECONDS=600 npx mocha …` looks longer. */
const SECONDS = Number(process.env.MODEL_SECONDS ?? 5);

interface Engine {
  readonly transactions: boolean;
  readonly open: () => Promise<Opened | undefined>;
}

interface Opened {
  readonly dataSource: juggler.DataSource;
  close(): Promise<void>;
}

const ENGINES: Record<string, Engine> = {
  'the memory connector': {
    transactions: false,
    open: async () => ({dataSource: givenMemory(), close: async () => {}}),
  },
  'PostgreSQL 18': {transactions: true, open: () => postgres(givenPostgres18)},
  'PostgreSQL 15': {transactions: true, open: () => postgres(givenPostgres15)},
  MariaDB: {transactions: true, open: mariadb},
};

/** Sequences that found a mistake which was made on purpose, shrunk. */
const REPLAYED: [BehaviourName[], Step[]][] = [
  // A write that did not compare the version.
  [
    ['version'],
    [
      {do: 'createAll', rows: [{id: 'b', name: 'one'}], options: {see: 'live'}},
      {
        do: 'updateById',
        data: {secret: null},
        id: 'b',
        version: 'stale',
        options: {see: 'live', bump: false},
      },
    ],
  ],
  // A delete for good that kept no state.
  [
    ['history', 'crypto'],
    [
      {do: 'create', rows: [{id: 'a', name: 'one'}], options: {see: 'live'}},
      {
        do: 'deleteById',
        hard: true,
        id: 'a',
        version: 'current in options',
        options: {see: 'live', by: 'alice', reason: 'a reason', onBehalfOf: 'carol'},
      },
    ],
  ],
];

describe('a repository does what the plain model of it says, whatever its behaviours', function () {
  this.timeout((SECONDS + 60) * 1000);

  for (const [name, {transactions, open}] of Object.entries(ENGINES)) {
    it(`on ${name}`, async function () {
      const engine = await open();
      if (!engine) return this.skip();
      const {dataSource, close} = engine;
      let [runs, taken] = [0, 0];
      const run = async (behaviours: readonly BehaviourName[], sequence: readonly Step[]) => {
        runs++;
        const comparison = await Comparison.begin(dataSource, behaviours, transactions);
        for (const step of sequence) {
          if (step.do === 'transaction' && !transactions) continue;
          taken++;
          await comparison.take(step);
        }
      };
      let last = Promise.resolve();
      try {
        await fc.assert(
          fc.asyncProperty(
            fc.shuffledSubarray(ALL, {minLength: 1}),
            steps(transactions),
            (behaviours, sequence) => (last = run(behaviours, sequence)),
          ),
          {
            examples: REPLAYED,
            numRuns: 1_000_000,
            interruptAfterTimeLimit: SECONDS * 1000,
            markInterruptAsFailure: false,
          },
        );
        // When time is up, nobody waits for the last one: it counts too.
        await last;
      } finally {
        await last.catch(() => undefined);
        await close();
      }
      if (process.env.MODEL_SECONDS) console.log(`      ${runs} sequences, ${taken} steps`);
    });
  }
});

async function postgres(given: () => ReturnType<typeof givenPostgres15>) {
  const database = await (await given())?.createDatabase('repository_model');
  if (!database) return undefined;
  const dataSource = givenPostgresSource(database);
  return {
    dataSource,
    close: async () => {
      await dataSource.disconnect();
      await database.drop();
    },
  };
}

async function mariadb() {
  const database = await givenMariaDatabase('repository_model');
  if (!database) return undefined;
  const dataSource = givenMariaSource(database);
  return {
    dataSource,
    close: async () => {
      await dataSource.disconnect();
      await database.drop();
    },
  };
}
