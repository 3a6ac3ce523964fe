import type {Options} from '@loopback/repository';
import type {Condition, InsertPlan} from '../plan';
import {idKey} from '../same-id';
import type {PlanTarget} from './executor';

const IDS_AT_ONCE = 1_000;

/** A row's place in the plan and its id. */
interface Place {
  readonly id: unknown;
  readonly i: number;
}

/** How far ids have counted that were in use before, by the places of their rows. */
export async function lastRevisions(
  {rows}: InsertPlan,
  target: PlanTarget,
  options: Options,
): Promise<Map<number, number>> {
  const last = new Map<number, number>();
  if (!target.history) return last;
  const idName = target.model.definition.idName();
  const own = rows.map((row, i) => ({id: row.data[idName], i})).filter(({id}) => id != null);
  for (let at = 0; at < own.length; at += IDS_AT_ONCE) {
    await countOn(own.slice(at, at + IDS_AT_ONCE), target, options, last);
  }
  return last;
}

async function countOn(
  places: readonly Place[],
  {history, model}: PlanTarget,
  options: Options,
  last: Map<number, number>,
): Promise<void> {
  const keyed = new Map(places.map(place => [idKey(model, place.id), place]));
  const states = async (ids: Condition) => {
    const found = await history!.find({where: {_modelId: ids}}, options);
    return found.map(state => state.toObject(true));
  };
  const all = await states({inq: places.map(({id}) => id)});
  if (all.every(({_modelId}) => keyed.has(idKey(model, _modelId)))) {
    for (const {_modelId, _revision} of all) {
      const {i} = keyed.get(idKey(model, _modelId))!;
      last.set(i, Math.max(last.get(i) ?? 0, Number(_revision)));
    }
    return;
  }
  // To the database some of them are one id with what was spelt otherwise: only it can tell which.
  for (const {id, i} of places) {
    const own = await states(id as Condition);
    last.set(i, Math.max(0, ...own.map(({_revision}) => Number(_revision))));
  }
}
