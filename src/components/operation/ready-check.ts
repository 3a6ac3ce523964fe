import {BindingScope, injectable, inject, type Provider} from '@loopback/core';
import {LiveEntitiesBindings} from '../../keys';
import type {RealtimeServer} from '../realtime/realtime.server';

/** By this tag `@loopback/health` finds what its `/ready` asks. */
const READY_CHECK = 'health.readyCheck';

/**
 * Says to `@loopback/health`, where the application has it, whether live views follow the database:
 * it rejects before they have started, and while a feed does not deliver.
 */
@injectable({scope: BindingScope.SINGLETON, tags: {[READY_CHECK]: READY_CHECK}})
export class ReadyCheckProvider implements Provider<() => Promise<void>> {
  constructor(
    @inject(LiveEntitiesBindings.REALTIME_SERVER) private readonly realtime: RealtimeServer,
  ) {}

  value(): () => Promise<void> {
    return async () => this.realtime.mustBeReady();
  }
}
