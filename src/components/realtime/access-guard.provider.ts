import {CoreBindings, config, inject, type Application, type Provider} from '@loopback/core';
import {FilterGuard, type AccessGuard} from '../../core/access';
import {LiveEntitiesBindings} from '../../keys';
import {resolveConfig} from './config';
import {includedAuthorization} from './included-authorization';
import {collectFilters, findLiveRepositories} from './registry';
import {collectScopes} from './scope-rules';
import type {RealtimeConfig} from './types';

/**
 * Makes the guard when it is first asked for. It does not wait for the live side to start: REST
 * takes requests before that, and none of them may pass unguarded.
 */
export class AccessGuardProvider implements Provider<AccessGuard> {
  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @config({fromBinding: LiveEntitiesBindings.REALTIME})
    private readonly realtimeConfig: RealtimeConfig = {},
  ) {}

  async value(): Promise<AccessGuard> {
    const settings = resolveConfig(this.realtimeConfig);
    const {blockPreByDefault, blockPostByDefault, filterTimeout} = settings;
    const found = await findLiveRepositories(this.application);
    const filters = collectFilters(this.application, found);
    const scopes = collectScopes(found);
    return new FilterGuard({
      filters,
      scopes,
      blockPreByDefault,
      blockPostByDefault,
      filterTimeout,
      authorize: includedAuthorization(found),
    });
  }
}
