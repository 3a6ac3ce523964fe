import {
  ClassDecoratorFactory,
  invokeMethodWithInterceptors,
  MetadataInspector,
  type Context,
  MethodDecoratorFactory,
  type Constructor,
} from '@loopback/core';

/**
 * Where `@authorize` of `@loopback/authorization` keeps what it was given. The package itself is
 * not needed: without it there is nothing to find.
 */
const OF_CLASS = 'authorization:class';
const OF_METHOD = 'authorization:method';

/**
 * Lets `@authorize` on a repository hold for a class that stands before it: what the repository
 * class says for the class, and what its methods say for the methods that lead to them.
 *
 * @param methods The methods of `target`, each with the name of the repository's
 */
export function inheritAuthorization(
  repositoryClass: Constructor<unknown> | (abstract new (...args: any[]) => unknown),
  target: Constructor<object>,
  methods: Readonly<Record<string, string>>,
): void {
  const whole = MetadataInspector.getClassMetadata<object>(OF_CLASS, repositoryClass);
  if (whole) ClassDecoratorFactory.createDecorator(OF_CLASS, {...whole})(target);
  const prototype = repositoryClass.prototype as object;
  for (const [name, of] of Object.entries(methods)) {
    const part = MetadataInspector.getMethodMetadata<object>(OF_METHOD, prototype, of);
    if (!part) continue;
    const own = target.prototype as Record<string, unknown>;
    const descriptor = {value: own[name]} as PropertyDescriptor;
    MethodDecoratorFactory.createDecorator(OF_METHOD, {...part})(own, name, descriptor);
  }
}

/** Whether `@authorize` on a repository class, or on one of its methods, asks who calls. */
export function demandsAuthorization(
  repositoryClass: abstract new (...args: any[]) => unknown,
  method: string,
): boolean {
  return (
    isAuthorized(repositoryClass, method) ||
    MetadataInspector.getClassMetadata(OF_CLASS, repositoryClass) !== undefined
  );
}

/** Whether `@authorize` stands on this method itself. */
export function isAuthorized(
  repositoryClass: abstract new (...args: any[]) => unknown,
  method: string,
): boolean {
  const prototype = repositoryClass.prototype as object;
  return MetadataInspector.getMethodMetadata(OF_METHOD, prototype, method) !== undefined;
}

/** The methods by which rows are read. */
abstract class Reads {
  find(): void {
    // Who gets here may.
  }

  findById(_id: unknown): void {
    // As above.
  }
}

/**
 * Whether rows may be read, as LoopBack's own interceptors say it: they are run as for a call of
 * `find` or `findById`, and nothing is read.
 */
export class ReadPermission {
  private constructor(private readonly reads: Reads) {}

  /**
   * @param guardedClass A repository, or a controller that stands before one
   * @returns undefined when nothing on the class asks who reads
   */
  static of(
    name: string,
    guardedClass: abstract new (...args: any[]) => unknown,
  ): ReadPermission | undefined {
    const isGuarded = ['find', 'findById'].some(read => demandsAuthorization(guardedClass, read));
    if (!isGuarded) return undefined;
    const {[name]: reads} = {[name]: class extends Reads {}};
    inheritAuthorization(guardedClass, reads, {find: 'find', findById: 'findById'});
    return new ReadPermission(new reads());
  }

  /**
   * @param id Of the row; many are asked for without one
   * @throws the error by which the interceptors refuse
   */
  async ask(
    context: Context,
    source: {readonly type: string; readonly value: unknown},
    id?: unknown,
  ): Promise<void> {
    const [method, args] = id === undefined ? ['find', []] : ['findById', [id]];
    await invokeMethodWithInterceptors(context, this.reads, method as string, args as unknown[], {
      source,
      skipParameterInjection: true,
    });
  }
}

/** Whether an error says that the caller may not do this, or has to sign in for it. */
export function isRefusal(error: unknown): boolean {
  const {statusCode} = (error ?? {}) as {statusCode?: unknown};
  return statusCode === 401 || statusCode === 403;
}
