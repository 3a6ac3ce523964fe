import {MIXIN_NAMES} from './behaviours-of';
import {requireOfRepository} from './juggler';

/** Juggler's registry of mixins, of which each data source has one of its own. */
interface MixinRegistry {
  readonly mixins: Readonly<Record<string, unknown>>;
  applyMixin(modelClass: {modelName: string}, name: string, options: unknown): void;
}

const told = new Set<string>();

/**
 * Makes juggler know the names of our mixins in a model's settings. It has mixins of its own under
 * that setting and refuses a model with names it does not know; a plain repository of the model, of
 * LoopBack's own CrudRest for one, could then not be made. Our mixins are for repositories, so all
 * that is left to do for the model is to say when its repository does not take them.
 */
export function knowMixinNames(): void {
  const {ModelBuilder} = requireOfRepository('loopback-datasource-juggler') as {
    ModelBuilder: new () => {mixins: MixinRegistry};
  };
  const {mixins} = new ModelBuilder();
  const registry = Object.getPrototypeOf(mixins) as MixinRegistry;
  const {applyMixin} = registry;
  registry.applyMixin = function (modelClass, name, options) {
    if (!(name in MIXIN_NAMES) || this.mixins[name]) {
      return applyMixin.call(this, modelClass, name, options);
    }
    warnOnce(modelClass.modelName);
  };
}

function warnOnce(model: string): void {
  if (told.has(model)) return;
  told.add(model);
  process.emitWarning(
    `The settings of ${model} name mixins that a repository of it does not take. ` +
      'Let the repository extend BaseEntityRepository.',
    {code: 'LIVE_ENTITIES_PLAIN_REPOSITORY'},
  );
}
