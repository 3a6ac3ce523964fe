import {
  ClassDecoratorFactory,
  MetadataInspector,
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
  const prototype = repositoryClass.prototype as object;
  return (
    MetadataInspector.getMethodMetadata(OF_METHOD, prototype, method) !== undefined ||
    MetadataInspector.getClassMetadata(OF_CLASS, repositoryClass) !== undefined
  );
}
