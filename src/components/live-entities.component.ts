import {
  Application,
  Binding,
  BindingScope,
  CoreBindings,
  createBindingFromClass,
  inject,
  type BindingKey,
  type Component,
  type Constructor,
  type LifeCycleObserverOptions,
  type Provider,
} from '@loopback/core';
import {LiveEntitiesBindings} from '../keys';
import {CryptoCheckObserver} from './crypto-check.observer';
import {MetricsObserver} from './operation/metrics.observer';
import {ReadyCheckProvider} from './operation/ready-check';
import {AccessGuardProvider} from './realtime/access-guard.provider';
import {JwtTokenServiceProvider} from './realtime/jwt-token.service';
import {REALTIME_GROUP, RealtimeServer} from './realtime/realtime.server';
import {SessionService} from './realtime/session.service';
import {AccessAnswersEnhancer} from './rest/access-answers.enhancer';
import {BearerMiddlewareProvider} from './rest/bearer.middleware';
import {LiveEntityApiBuilder} from './rest/live-entity.api-builder';
import {OeErrorsInterceptorProvider, OeErrorsObserver} from './rest/oe-errors';
import {UrlMiddlewareProvider} from './rest/url.middleware';

/**
 * Adds live entities to an application: the socket on the REST server's port, the access guard of
 * generated controllers, and sign-in by bearer token for REST and socket alike. It can be
 * configured before or after it is added; the configuration is read when the application starts.
 *
 * @example
 * ```ts
 * app.component(LiveEntitiesComponent);
 * app.configure(LiveEntitiesBindings.REALTIME).to({jwt: {secret: process.env.JWT_SECRET}});
 * ```
 */
export class LiveEntitiesComponent implements Component {
  readonly bindings: Binding[];

  constructor(@inject(CoreBindings.APPLICATION_INSTANCE) application: Application) {
    this.bindings = [
      createBindingFromClass(RealtimeServer, {key: LiveEntitiesBindings.REALTIME_SERVER}),
      createBindingFromClass(ReadyCheckProvider, {key: 'loopback4-live-entities.ready-check'}),
      createBindingFromClass(MetricsObserver),
      createBindingFromClass(SessionService, {key: LiveEntitiesBindings.SESSIONS}),
      createBindingFromClass(UrlMiddlewareProvider),
      createBindingFromClass(BearerMiddlewareProvider),
      createBindingFromClass(CryptoCheckObserver),
      createBindingFromClass(LiveEntityApiBuilder),
      createBindingFromClass(OeErrorsInterceptorProvider),
      createBindingFromClass(OeErrorsObserver),
      createBindingFromClass(AccessAnswersEnhancer),
      ...defaults(application, [
        [LiveEntitiesBindings.TOKEN_SERVICE, JwtTokenServiceProvider],
        [LiveEntitiesBindings.ACCESS_GUARD, AccessGuardProvider],
      ]),
    ];
    orderGroups(application);
  }
}

/** Bindings for what the application has not bound itself. */
function defaults(
  application: Application,
  providers: [BindingKey<unknown>, Constructor<Provider<unknown>>][],
): Binding[] {
  return providers
    .filter(([{key}]) => !application.isBound(key))
    .map(([{key}, provider]) =>
      new Binding(key).toProvider(provider).inScope(BindingScope.SINGLETON),
    );
}

/** The sockets come after the servers whose port they share, and go before them. */
function orderGroups(application: Application): void {
  const key = CoreBindings.LIFE_CYCLE_OBSERVER_OPTIONS;
  const known = application.getSync(key, {optional: true});
  const options: Partial<LifeCycleObserverOptions> = known ?? {};
  const groups = options.orderedGroups ?? ['server'];
  if (groups.includes(REALTIME_GROUP)) return;
  application.bind(key).to({...options, orderedGroups: [...groups, REALTIME_GROUP]});
}
