import {VersionConflictError, VersionRequiredError} from '../errors';
import type {Row} from '../plan';
import type {EmbeddedProperty} from './definition';

type Version = string | null;

/** The versions that a write of an embedded child names. */
export interface EmbeddedVersions {
  /** The child's version as it was read; `null` for a child from before it had versions. */
  _version?: Version;
  /** The parent's version as it was read. One of the two suffices when they are equal. */
  _parentVersion?: Version;
}

/** A write of a child, with the parent and the child as they are. */
export interface ChildWrite {
  readonly property: EmbeddedProperty;
  readonly parentName: string;
  readonly parentId: unknown;
  readonly parent: Row;
  /** Absent for a child that is about to be created. */
  readonly child?: Row;
  readonly named: EmbeddedVersions;
}

/**
 * The parent's version that the write has to find: it goes into the write's own condition, and
 * since every write of a child gives its parent a new version, it says what the child is, too.
 *
 * @throws VersionRequiredError, VersionConflictError
 */
export function expectedParentVersion(write: ChildWrite): Version {
  const {property, parentName, parentId, parent, child, named} = write;
  const {_version: ofChild, _parentVersion: ofParent} = named;
  const only = property.versioned && child ? ofChild : undefined;
  const expected = ofParent !== undefined ? ofParent : only;
  if (expected === undefined) throw new VersionRequiredError(parentName, parentId);
  const actual = versionOf(parent);
  if (expected !== actual) {
    throw new VersionConflictError(parentName, parentId, expected, actual);
  }
  if (property.versioned && child) {
    const expectedChild = ofChild !== undefined ? ofChild : expected;
    const actualChild = versionOf(child);
    if (expectedChild !== actualChild) {
      const {target, idName} = property;
      const id = (idName && child[idName]) ?? parentId;
      throw new VersionConflictError(target.modelName, id, expectedChild, actualChild);
    }
  }
  return expected;
}

function versionOf(row: Row): Version {
  return (row._version ?? null) as Version;
}
