import {LiveEntityError} from '../../core/errors';
import type * as wire from '../../protocol/messages';
import type {LiveCall, LiveService, LiveSession} from './live.service';

/**
 * The methods that socket calls are made of. They are called through LoopBack's interceptors, with
 * the call first, so an application's global interceptors see them as they see REST calls.
 */
export class LiveController {
  constructor(private readonly service: LiveService) {}

  subscribe(call: LiveCall, request: wire.SubscribeRequest): Promise<wire.SubscribeReply> {
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
