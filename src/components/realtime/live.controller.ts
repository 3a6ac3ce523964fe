import type {Constructor} from '@loopback/core';
import {LiveEntityError} from '../../core/errors';
import type * as wire from '../../protocol/messages';
import {inheritAuthorization} from '../authorization';
import type {LiveCall, LiveSession} from './live-call';
import type {LiveService} from './live.service';

/** The methods of the repository that those of the controller stand before. */
const STANDS_BEFORE = {
  subscribe: 'find',
  subscribeRow: 'findById',
  read: 'find',
  readRow: 'findById',
  create: 'create',
  update: 'updateById',
  delete: 'deleteById',
} as const;

/**
 * The methods that socket calls are made of. They are called through LoopBack's interceptors, with
 * the call first, so an application's global interceptors see them as they see REST calls.
 */
export class LiveController {
  constructor(private readonly service: LiveService) {}

  subscribe(call: LiveCall, request: wire.SubscribeRequest): Promise<wire.SubscribeReply> {
    return this.service.subscribe(call, request);
  }

  /** {@link subscribe} to one row. */
  subscribeRow(call: LiveCall, request: wire.SubscribeRequest): Promise<wire.SubscribeReply> {
    return this.service.subscribe(call, request);
  }

  /** @throws LiveEntityError `UNKNOWN_CHANNEL` when the session is not in it */
  async unsubscribe(call: LiveCall, {channel}: {readonly channel: string}): Promise<object> {
    if (this.leave(call.session, channel)) return {};
    throw new LiveEntityError('UNKNOWN_CHANNEL', 'not subscribed to that channel', 404);
  }

  read(call: LiveCall, request: wire.ReadRequest): Promise<wire.ReadReply> {
    return this.service.read(call, request);
  }

  /** {@link read} of one row. */
  readRow(call: LiveCall, request: wire.ReadRequest): Promise<wire.ReadReply> {
    return this.service.read(call, request);
  }

  create(call: LiveCall, request: wire.CreateRequest): Promise<wire.WriteReply> {
    return this.service.create(call, request);
  }

  update(call: LiveCall, request: wire.UpdateRequest): Promise<wire.WriteReply> {
    return this.service.update(call, request);
  }

  delete(call: LiveCall, request: wire.DeleteRequest): Promise<wire.WriteReply> {
    return this.service.delete(call, request);
  }

  /** Takes a session out of a channel; false when it was not in it. */
  leave(session: LiveSession, channel: string): boolean {
    return this.service.leave(session, channel);
  }
}

/** A method that LoopBack's interceptors are run for. */
export type LiveMethod = keyof typeof STANDS_BEFORE | 'unsubscribe';

/** The controllers of all live entities. */
export class LiveControllers {
  private readonly controllers = new Map<string, LiveController>();
  private readonly anybodys: LiveController;

  constructor(
    service: LiveService,
    repositoryClasses: ReadonlyMap<string, Constructor<unknown>>,
  ) {
    this.anybodys = new LiveController(service);
    for (const [entity, repositoryClass] of repositoryClasses) {
      const name = `${entity}LiveController`;
      const {[name]: controllerClass} = {[name]: class extends LiveController {}};
      inheritAuthorization(repositoryClass, controllerClass, STANDS_BEFORE);
      this.controllers.set(entity, new controllerClass(service));
    }
  }

  /** The controller of an entity, which `@authorize` on its repository guards. */
  of(entity: string | undefined): LiveController {
    // An unknown one answers that it is unknown.
    return (entity !== undefined && this.controllers.get(entity)) || this.anybodys;
  }
}
