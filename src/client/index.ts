/**
 * The client of `loopback4-live-entities`, for browsers and Node.
 *
 * @packageDocumentation
 */
export {LiveClient} from './client';
export type {LiveClientEvents, LiveClientOptions, LiveSession} from './client';
export {LiveCollection} from './collection';
export {LiveModel} from './model';
export type {ModelValue} from './model';
export type {Unsubscribe} from './emitter';
export type {
  CollectionOptions,
  ConnectionStatus,
  FieldOf,
  LiveEvents,
  LivePatch,
  LiveRow,
  LiveStatus,
  ModelOptions,
  StatusDetail,
  WriteOptions,
} from './types';
export {LiveError, VersionConflictError} from '../protocol/errors';
export type {LiveErrorCode, WireError} from '../protocol/errors';
export type {ReadReply, ReadRequest} from '../protocol/messages';
export type {PageMeta, Row, RowKey} from '../protocol/page';
