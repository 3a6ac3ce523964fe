import assert from 'node:assert/strict';
import {DefaultTransactionalRepository, type Options} from '@loopback/repository';
import {
  crudRepositoryTestSuite,
  type CrudFeatures,
  type CrudRepositoryCtor,
} from '@loopback/repository-tests';
import {AllFiveRepository} from './repository-tests.repository';

/** What the suite expects and a repository with behaviours does otherwise: test → why. */
export type Differences = Readonly<Record<string, string>>;

/** On every engine. All else that the suite expects holds with the five behaviours on. */
const DIFFERENCES: Differences = {
  'should not use transaction with another repository':
    'it is refused, where LoopBack ignores the transaction and the row survives its rollback',
};

/** An engine to run LoopBack's suite on. */
export interface Engine {
  readonly settings: Options;
  readonly features: Partial<CrudFeatures>;
  readonly differences?: Differences;
  /** The settings of an empty database; undefined where the machine has no such engine. */
  readonly givenDatabase?: () => Promise<EmptyDatabase | undefined>;
}

export interface EmptyDatabase {
  readonly settings: Options;
  drop(): Promise<void>;
}

/**
 * LoopBack's own repository tests, run with LoopBack's own repository first. What fails there says
 * nothing of behaviours (the suite was not written for all engines), so it is shown as pending;
 * everything else has to pass with all five behaviours on.
 */
export function loopbacksOwnSuite(engine: Engine): void {
  const failing = new Set<string>();
  const differences = {...DIFFERENCES, ...engine.differences};
  const bare = describe('without behaviours', () => {
    suiteOf(DefaultTransactionalRepository, engine);
  });
  eachStep(bare, (name, step) => {
    const {fn} = step;
    step.fn = async function (this: Mocha.Context) {
      try {
        await run(fn, this);
      } catch {
        failing.add(name);
        this.skip();
      }
    };
  });
  const behaved = describe('with all five behaviours', () => suiteOf(AllFiveRepository, engine));
  eachStep(behaved, (name, step) => {
    const {fn} = step;
    const difference = differences[step.title];
    if (difference) step.title += `: differs, ${difference}`;
    step.fn = async function (this: Mocha.Context) {
      const failed = await run(fn, this).then(
        () => undefined,
        (error: unknown) => ({error}),
      );
      if (difference) assert.ok(failed, `It does not differ any more: ${difference}`);
      else if (failed && !failing.has(name)) throw failed.error;
      if (failed) this.skip();
    };
  });
}

function suiteOf(repositoryClass: unknown, {settings, features, givenDatabase}: Engine): void {
  const complete = {...settings};
  let database: EmptyDatabase | undefined;

  if (givenDatabase) {
    before('a database', async function () {
      database = await givenDatabase();
      if (!database) return this.skip();
      Object.assign(complete, database.settings);
    });
  }

  crudRepositoryTestSuite(complete, repositoryClass as CrudRepositoryCtor, features);

  after('its end', () => database?.drop());
}

/** The suite uses promises only, no callbacks; some of its hooks are not even asynchronous. */
async function run(fn: Step['fn'], context: Mocha.Context): Promise<void> {
  await (fn as Mocha.AsyncFunc).call(context);
}

/** A test or a hook. */
type Step = Mocha.Runnable;

interface SuiteTree {
  readonly title: string;
  readonly suites: SuiteTree[];
  readonly tests: Step[];
  readonly _beforeAll: Step[];
  readonly _beforeEach: Step[];
}

/** Visits the suite's tests and the hooks before them, by what they are called within it. */
function eachStep(suite: unknown, visit: (name: string, step: Step) => void): void {
  for (const inner of (suite as SuiteTree).suites) visitAll(inner, visit, inner.title);
}

function visitAll(
  {tests, suites, _beforeAll, _beforeEach}: SuiteTree,
  visit: (name: string, step: Step) => void,
  path: string,
): void {
  for (const step of [..._beforeAll, ..._beforeEach, ...tests]) {
    if (step.fn) visit(`${path} > ${step.title}`, step);
  }
  for (const inner of suites) visitAll(inner, visit, `${path} > ${inner.title}`);
}
