import {randomUUID} from 'node:crypto';
import {behaviourDefaults, type Behaviour, type ChangeRequest} from '../behaviour';
import {InvalidVersionError, InvalidWhereError, VersionRequiredError} from '../errors';
import {CHILD_WRITE} from '../options';
import {value, type Assignments, type CheckedRow, type Condition, type Row} from '../plan';

/**
 * Every state of a row has a version, and a write names the one it changes. The comparison is part
 * of the write's own condition, so of two writers with one version exactly one succeeds.
 */
export const versionBehaviour: Behaviour = {
  ...behaviourDefaults('version'),
  properties: {
    _version: {type: 'string'},
    _oldVersion: {type: 'string'},
    _newVersion: {type: 'string'},
    _parentVersion: {type: 'string'},
  },
  inputOnly: ['_newVersion', '_parentVersion'],
  kept: ['_version', '_oldVersion'],

  insert: (input, {entityName}) => ({_version: value(nextVersion(entityName, input))}),

  change(request): Assignments {
    if (request.options.bumpVersion === false) return {};
    const {entityName, input, single} = request;
    return {
      _version: single
        ? value(nextVersion(entityName, input, expectedVersion(request)))
        : {kind: 'uuid'},
      _oldVersion: {kind: 'previous', property: '_version'},
    };
  },

  condition(request) {
    const conditions: Condition[] = versionsRead(request).map(_version => ({_version}));
    const named = namedVersion(request);
    const another = [{_oldVersion: null}, {_oldVersion: {neq: named}}];
    if (named !== undefined) conditions.push({or: another});
    return conditions.length > 1 ? {and: conditions} : conditions[0];
  },
};

/**
 * The version that a write names; `undefined` when it need not name one.
 *
 * Rows from before the entity was versioned have no version: `null` is the version to name then.
 */
export function expectedVersion(request: ChangeRequest): string | null | undefined {
  const {options, input, single, kind} = request;
  const inData = single ? input._version : undefined;
  const named = options.version !== undefined ? options.version : inData;
  // An object here would be read as an operator, and `{neq: ''}` matches any version.
  if (named === null || typeof named === 'string') return named;
  const needed = single && options.bumpVersion !== false && kind !== 'restore' && kind !== 'purge';
  if (named === undefined && !needed) return undefined;
  throw new VersionRequiredError(request.entityName, request.id);
}

/** The versions that a write by id names, in its options and its data, and the row has not. */
export function staleVersions(request: ChangeRequest, actual: string | null): (string | null)[] {
  return versionsRead(request).filter(version => version !== actual);
}

/** Whoever names two versions has read the row twice: both must be the current one. */
function versionsRead(request: ChangeRequest): (string | null)[] {
  const expected = expectedVersion(request);
  if (expected === undefined) return [];
  const inData = request.single ? request.input._version : undefined;
  const isNamed = inData === null || typeof inData === 'string';
  return isNamed && inData !== expected ? [expected, inData] : [expected];
}

/**
 * The rows of `options.versions`, each once.
 *
 * @param idName - The property that identifies a row
 * @param ids - Make an id what the model says, and a text that is the same for equal ids
 */
export function checkedRows(
  entityName: string,
  rows: readonly object[],
  idName: string,
  {typed, keyOf}: {typed(id: unknown): unknown; keyOf(id: unknown): string},
): CheckedRow[] {
  const byId = new Map<string, CheckedRow>();
  for (const row of rows as readonly Row[]) {
    const [id, version] = [typed(row[idName]), row._version];
    if (version !== null && typeof version !== 'string') {
      throw new VersionRequiredError(entityName, id);
    }
    const key = keyOf(id);
    const known = byId.get(key);
    if (known && known.version !== version) {
      throw new InvalidWhereError(`${entityName} ${String(id)} is named with two versions.`);
    }
    byId.set(key, {id, version});
  }
  return [...byId.values()];
}

/**
 * The version that the caller of a write by id names for the row: one that none of its states may
 * have had, or whoever still holds that state could write over what has come since.
 */
export function namedVersion({input, options, single}: ChangeRequest): string | undefined {
  // The version that the write of an embedded child names is a UUID of our own.
  if (!single || options.bumpVersion === false || options[CHILD_WRITE]) return undefined;
  const named = input._newVersion ?? undefined;
  return named === undefined ? undefined : String(named);
}

/** The version that a write makes: the one that the caller names, otherwise a UUID. */
function nextVersion(entityName: string, input: Row, current?: string | null): string {
  const named = input._newVersion ?? undefined;
  if (named === undefined) return randomUUID();
  if (typeof named === 'string' && named !== '' && named !== current) return named;
  throw new InvalidVersionError(entityName);
}
