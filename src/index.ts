/**
 * Version, audit, soft delete, history and encryption for LoopBack 4 repositories, and exact live
 * views of them over Socket.IO.
 */
export {LiveEntitiesBindings} from './keys';
export {LiveEntitiesComponent} from './components/live-entities.component';

// Behaviours of repositories
export {
  audited,
  encrypted,
  historical,
  softDeletable,
  versioned,
  type BehaviourDecorator,
  type SoftDeleteSettings,
} from './mixins/decorators';
export {
  AuditFieldsMixin,
  BaseEntityRepository,
  CryptoMixin,
  EmbeddingMixin,
  HistoryMixin,
  SoftDeleteMixin,
  VersionMixin,
} from './mixins/mixins';
export {
  Audited,
  SoftDeletable,
  Versioned,
  type AuditedEntity,
  type SoftDeletableEntity,
  type VersionedEntity,
} from './mixins/model-mixins';
export type {
  EncryptedRepository,
  HistoricalRepository,
  SoftDeletableRepository,
  VersionedData,
  VersionedRepository,
} from './mixins/repository-methods';
export {
  embedsMany,
  embedsOne,
  type EmbeddedSettings,
  type EmbeddedTarget,
} from './mixins/embedded/decorators';
export type {
  EmbeddedData,
  EmbeddedManyRepository,
  EmbeddedName,
  EmbeddedOneRepository,
  EmbeddedOptions,
  EmbeddedRepositoryOf,
  EmbeddingRepository,
} from './mixins/embedded/embedded-repository';
export {
  EmbeddedExistsError,
  EmbeddedValidationError,
  EmbeddedWriteError,
  EmbeddingError,
  type EmbeddedProblem,
} from './mixins/embedded/errors';
export type {EmbeddedVersions} from './mixins/embedded/versions';
export type {LiveOptions} from './mixins/options';
export type {PropertyChange, Revision, RevisionRef} from './mixins/history/entity-history';
export type {PruneOptions} from './mixins/history/prune';
export {
  BehaviourError,
  BehaviourMissingError,
  CascadeError,
  ConcurrentWriteError,
  CryptoNotConfiguredError,
  ForeignTransactionError,
  HistoryNameTakenError,
  InactiveTransactionError,
  InvalidFilterError,
  InvalidValueError,
  InvalidVersionError,
  InvalidWhereError,
  RestoreConflictError,
  UnusableNameError,
  VersionConflictError,
  VersionRequiredError,
  type RowConflict,
} from './mixins/errors';

// Encryption
export type {CryptoConfig} from './mixins/crypto/config';
export type {EncryptSetting, Normalize, NormalizeStep} from './mixins/crypto/searchable';
export {
  CryptoConfigurationError,
  DecryptionError,
  EncryptedQueryError,
  EncryptionError,
} from './mixins/crypto/errors';
export {keysFromEnvironment} from './mixins/crypto/env-keys';
export {
  keysFromEnvelopes,
  newWrappedKey,
  type KeyWrapper,
  type WrappedKey,
  type WrappedKeys,
} from './mixins/crypto/envelope-keys';
export {KeyRing, type DataKey, type KeyProvider, type KeyRingConfig} from './mixins/crypto/keys';
export type {
  ReencryptOptions,
  ReencryptPosition,
  ReencryptProgress,
} from './mixins/reencrypt/reencrypt';
export type {LegacyAlgorithm, LegacyConfig} from './mixins/crypto/legacy';

// REST
export {
  defineEntityController,
  type EntityControllerClass,
  type EntityControllerOptions,
} from './components/rest/entity-controller';

export {DataModifiedError, type ErrorStyle} from './components/rest/oe-errors';
export {LiveEntityApiBuilder, type LiveEntityApiConfig} from './components/rest/live-entity.api-builder';

// Realtime
export {accessFilter, realtime, type AccessFilterSpec} from './components/realtime/decorators';
export type {
  AccessFilter,
  AccessRequest,
  AdminUiConfig,
  LoginService,
  RealtimeConfig,
  RealtimeDefinition,
  RealtimeLimits,
  RealtimeView,
  ViewFilterOf,
  ViewParams,
} from './components/realtime/types';
export type {UpdateNotice} from './components/realtime/update-notice';
export type {Change, CommittedTransaction, RowImage} from './core/change';
export type {ChangeFeed, FeedSink, FeedStatus} from './core/ports';
export type {EntityShape, PropertyKind, PropertyShape} from './core/shape';
export type {HubCounters} from './core/counters';
export type {LiveStatus} from './core/status';
export {RealtimeServer} from './components/realtime/realtime.server';
export {sameSecret} from './components/realtime/same-secret';
export {JwtTokenService} from './components/realtime/jwt-token.service';
export type {
  AccessAction,
  AccessGuard,
  AccessQuery,
  LiveSessions,
  Next,
  SessionPass,
  SessionRef,
} from './core/access';
export {DatabaseUnavailableError} from './core/database-errors';
export {CRUDBlockedError, LiveEntityError} from './core/errors';
export type {Scope} from './core/scope';
export type {ViewContext} from './core/view';
