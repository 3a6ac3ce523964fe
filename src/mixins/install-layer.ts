import {inject} from '@loopback/core';
import {DefaultCrudRepository, DefaultTransactionalRepository} from '@loopback/repository';
import {addedMethods} from './added-methods';
import {liveLayer, type RepositoryClass} from './layer';

/** LoopBack's own repository classes, each with the one layer that goes on top of it. */
const layers = new Map<object, RepositoryClass>([
  [DefaultTransactionalRepository, addedMethods(liveLayer(DefaultTransactionalRepository))],
  [DefaultCrudRepository, addedMethods(liveLayer(DefaultCrudRepository))],
]);

const withContext = new WeakSet<object>();

/**
 * Puts the layer of behaviours right above LoopBack's repository class in the ancestry of `target`.
 *
 * It goes below everything that an application has written, so that an application's own `create`
 * or `find`, in the decorated class, in a base class or in a mixin, still runs and reaches the
 * behaviours by `super`. The class stays the same object: its name, its binding key and its
 * injections are untouched. Classes without behaviours that share an ancestor notice nothing.
 */
export function installLayer(target: RepositoryClass): void {
  let child: object = target;
  for (;;) {
    const parent = Object.getPrototypeOf(child);
    if ([...layers.values()].includes(parent)) break;
    const layer = layers.get(parent);
    if (layer) {
      Object.setPrototypeOf(child, layer);
      Object.setPrototypeOf((child as RepositoryClass).prototype, layer.prototype);
      break;
    }
    if (typeof parent !== 'function' || parent === Function.prototype) {
      throw new TypeError(`${target.name} does not extend DefaultCrudRepository.`);
    }
    child = parent;
  }
  injectContext(target);
}

/** On the class itself: property injections of a base are copied when a class declares its own. */
function injectContext(target: RepositoryClass): void {
  if (withContext.has(target)) return;
  withContext.add(target);
  inject.context()(target.prototype, 'liveContext');
}
