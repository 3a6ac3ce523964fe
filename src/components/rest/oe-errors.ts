import {
  asGlobalInterceptor,
  config,
  CoreBindings,
  inject,
  injectable,
  lifeCycleObserver,
  type Application,
  type Interceptor,
  type LifeCycleObserver,
  type Provider,
} from '@loopback/core';
import {RestBindings} from '@loopback/rest';
import {LiveEntitiesBindings} from '../../keys';
import {VersionConflictError, VersionRequiredError} from '../../mixins/errors';

/** How refusals of a missing or stale version are answered over REST. */
export type ErrorStyle = 'oe' | 'standard';

/** The part of the component's configuration that says it. */
export interface WithErrorStyle {
  readonly errors?: ErrorStyle;
}

/**
 * The error with which oe-common-mixins refused a missing or stale version, whichever of the two it
 * was. `details` says of a stale one what was expected and what was found.
 */
export class DataModifiedError extends Error {
  override readonly name = 'Data Error';
  readonly type = 'DataModifiedError';
  readonly code = 'DATA_ERROR_071';
  readonly statusCode = 422;
  readonly retriable = false;
  readonly details: object | undefined;

  constructor(cause: VersionConflictError | VersionRequiredError) {
    super(cause.message, {cause});
    this.details = cause instanceof VersionConflictError ? cause.details : undefined;
  }
}

/**
 * With `errors: 'oe'`, answers REST calls of all controllers as oe-common-mixins did. Sockets keep
 * their codes: the original had none, and the client of this package knows these.
 */
@injectable(asGlobalInterceptor('live-entities'))
export class OeErrorsInterceptorProvider implements Provider<Interceptor> {
  constructor(
    @config({fromBinding: LiveEntitiesBindings.COMPONENT})
    private readonly settings: WithErrorStyle = {},
  ) {}

  value(): Interceptor {
    return async (invocation, next) => {
      try {
        return await next();
      } catch (error) {
        const isRest = invocation.source?.type === 'route';
        throw isRest && this.settings.errors === 'oe' ? asOeError(error) : error;
      }
    };
  }
}

/** Lets the answer have the fields that LoopBack leaves out of errors. */
@lifeCycleObserver('oe-errors')
export class OeErrorsObserver implements LifeCycleObserver {
  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @config({fromBinding: LiveEntitiesBindings.COMPONENT})
    private readonly settings: WithErrorStyle = {},
  ) {}

  init(): void {
    if (this.settings.errors !== 'oe') return;
    const key = RestBindings.ERROR_WRITER_OPTIONS;
    const given = this.application.getSync(key, {optional: true});
    const safeFields = new Set([given?.safeFields ?? []].flat()).add('type').add('retriable');
    this.application.bind(key).to({...given, safeFields: [...safeFields]});
  }
}

function asOeError(error: unknown): unknown {
  const isOfVersions =
    error instanceof VersionConflictError || error instanceof VersionRequiredError;
  return isOfVersions ? new DataModifiedError(error) : error;
}
