import {LiveEntityError} from '../../core/errors';
import type {LiveSource} from './sources';

/** Rows that somebody has written whom no feed sees. */
export interface UpdateNotice {
  /** The entity's model name. */
  readonly type: string;
  /** The rows' ids, or `'all'` where they are not known or too many. */
  readonly ids: string | number | readonly (string | number)[] | 'all';
}

/** Rows that are looked up one by one; past them, all pages of the entity are read anew. */
const MOST_IDS = 1000;

/**
 * Has every page read anew in which these rows may be, or may have been: pages that show them, that
 * count, or to which they belong as they are now.
 *
 * @throws LiveEntityError `UNKNOWN_TYPE`
 */
export async function noticeUpdate(
  sources: readonly LiveSource[],
  {type, ids}: UpdateNotice,
): Promise<void> {
  const source = sources.find(({entities}) => entities.some(({name}) => name === type));
  const entity = source?.entities.find(({name}) => name === type);
  if (!source || !entity) {
    throw new LiveEntityError('UNKNOWN_TYPE', `there is no live entity '${type}'`, 404);
  }
  const list = [ids].flat();
  const idNames = entity.shape.ids;
  if (ids === 'all' || list.length > MOST_IDS || idNames.length > 1) {
    return source.hub.doubt([{kind: 'truncate', entity: type}]);
  }
  const [property] = idNames;
  const value = list.map(id => entity.idOf(id));
  const query = {
    entity: type,
    condition: {kind: 'compare', property, operator: 'inq', value} as const,
    order: [{property, descending: false}],
  };
  const {rows} = await source.rows.read(query, list.length, false);
  source.hub.doubtRows(type, new Set(list.map(String)), rows);
}
