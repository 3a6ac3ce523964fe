import assert from 'node:assert/strict';
import {DefaultTransactionalRepository, Entity, model, property} from '@loopback/repository';
import {ALL, DECORATORS, givenContext, migrate} from '../../support/behaviours';
import type {BehaviourTarget} from '../behaviours.suite';

let models = 0;

/** A date that is none is the caller's mistake, wherever it stands. */
export function datesSuite({dataSource}: BehaviourTarget): void {
  const NO_DATES: unknown[] = [new Date('yesterday'), 'yesterday', {a: 1}];
  type Days = Awaited<ReturnType<typeof givenDays>>;
  let days: Days;

  beforeEach(async () => {
    days = await givenDays();
    await days.create({id: 'a', on: new Date(0), born: new Date(0)});
  });

  const partly: Record<string, (data: object) => Promise<unknown>> = {
    updateById: data => days.updateById('a', data, {bumpVersion: false}),
    updateAll: data => days.updateAll(data),
  };
  const wholly: Record<string, (data: object) => Promise<unknown>> = {
    create: data => days.create({id: 'b', ...data}),
    createAll: data => days.createAll([{id: 'b', ...data}]),
    replaceById: data => days.replaceById('a', data, {bumpVersion: false}),
  };

  for (const [name, write] of Object.entries(partly)) {
    it(`is refused in the data of ${name}`, async () => {
      for (const odd of NO_DATES) {
        const refusal = {code: 'INVALID_VALUE', statusCode: 400};
        await assert.rejects(write({on: odd}), refusal);
        await assert.rejects(write({born: odd}), refusal);
      }
      await write({on: null, born: null, _createdOn: 'ignored'});
      await write({on: '2026-01-01'});
      assert.equal(Number((await days.findById('a')).on), Date.UTC(2026, 0));
    });
  }

  for (const [name, write] of Object.entries(wholly)) {
    it(`is refused in the data of ${name}, by juggler's validation where it is not encrypted`, async () => {
      for (const odd of NO_DATES) {
        await assert.rejects(write({on: odd}), {name: 'ValidationError', statusCode: 422});
        await assert.rejects(write({born: odd}), {code: 'INVALID_VALUE', statusCode: 400});
      }
      assert.deepEqual(await days.count(), {count: 1});
    });
  }

  async function givenDays() {
    @model({name: `Day${++models}`})
    class Day extends Entity {
      @property({type: 'string', id: true}) id!: string;
      @property({type: 'date'}) on?: Date;
      @property({type: 'date', encrypt: true}) born?: Date;
    }
    class DayRepository extends DefaultTransactionalRepository<Day, string> {
      constructor() {
        super(Day, dataSource());
      }
    }
    for (const name of ALL) DECORATORS[name]()(DayRepository);
    const repository = new DayRepository();
    (repository as unknown as {liveContext: unknown}).liveContext = givenContext();
    await migrate(dataSource());
    return repository;
  }
}
