import {property, type Entity} from '@loopback/repository';
import type {MixinConstructor} from './mixins';

type ModelClass = abstract new (...args: any[]) => Entity;

/** The properties of a versioned entity. */
export interface VersionedEntity {
  /** The version of the present state: an opaque string, made by the server. */
  _version?: string;
  /** The version before the last write. */
  _oldVersion?: string;
  /** Input only: names the version that a write results in. */
  _newVersion?: string;
}

/** The properties of an audited entity. What a client sends for them is ignored. */
export interface AuditedEntity {
  /** The model's name. */
  _type?: string;
  _createdBy?: string;
  _createdOn?: Date;
  _modifiedBy?: string;
  _modifiedOn?: Date;
}

/** The properties of a soft-deletable entity. */
export interface SoftDeletableEntity {
  _isDeleted?: boolean;
  _deletedBy?: string;
  _deletedOn?: Date;
}

/**
 * Gives a model the properties of the version behaviour.
 *
 * @example
 * ```ts
 * @model()
 * export class Product extends Versioned(Audited(SoftDeletable(Entity))) {}
 * ```
 */
export function Versioned<S extends ModelClass>(
  superClass: S,
): S & MixinConstructor<VersionedEntity> {
  abstract class VersionedModel extends superClass implements VersionedEntity {
    @property({type: 'string'}) _version?: string;
    @property({type: 'string'}) _oldVersion?: string;
    @property({type: 'string'}) _newVersion?: string;
  }
  return VersionedModel as never;
}

/** Gives a model the properties of the audit behaviour. */
export function Audited<S extends ModelClass>(superClass: S): S & MixinConstructor<AuditedEntity> {
  abstract class AuditedModel extends superClass implements AuditedEntity {
    @property({type: 'string'}) _type?: string;
    @property({type: 'string'}) _createdBy?: string;
    @property({type: 'date'}) _createdOn?: Date;
    @property({type: 'string'}) _modifiedBy?: string;
    @property({type: 'date'}) _modifiedOn?: Date;
  }
  return AuditedModel as never;
}

/** Gives a model the properties of the soft delete behaviour. */
export function SoftDeletable<S extends ModelClass>(
  superClass: S,
): S & MixinConstructor<SoftDeletableEntity> {
  abstract class SoftDeletableModel extends superClass implements SoftDeletableEntity {
    @property({type: 'boolean'}) _isDeleted?: boolean;
    @property({type: 'string'}) _deletedBy?: string;
    @property({type: 'date'}) _deletedOn?: Date;
  }
  return SoftDeletableModel as never;
}
