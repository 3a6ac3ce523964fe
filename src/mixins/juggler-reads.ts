import type {JugglerModelClass, JugglerProperty} from './juggler';

/** Whether juggler leaves the values of such rows as the connector reads them. */
export function readsPlainly(model: JugglerModelClass): boolean {
  return (
    !model.settings.scope &&
    stepsOfReads(model).length === 0 &&
    Object.values(model.definition.properties).every(isPlain)
  );
}

/**
 * What juggler does with rows that it reads beyond the model's default scope, in words that follow
 * the name of the model: what can hide rows, or change values of them.
 */
export function stepsOfReads(model: JugglerModelClass): string[] {
  const hooks = READ_HOOKS.filter(hook => (model._observers?.[hook]?.length ?? 0) > 0);
  const settings = CHANGING.filter(setting => model.settings[setting]);
  const initializing = INITIALIZING.filter(hook => model[hook]);
  const getters = Object.keys(model.getter ?? {});
  const {DataAccessObject} = model.dataSource;
  const replaced = READ_STEPS.filter(step => model[step] !== DataAccessObject[step]);
  return [
    ...hooks.map(hook => `has '${hook}' observers`),
    ...settings.map(setting => `has the setting '${setting}'`),
    ...initializing.map(hook => `has ${hook}`),
    ...getters.map(name => `has a getter of ${name}`),
    ...replaced.map(step => `has a ${step} of its own`),
  ];
}

const READ_HOOKS = ['access', 'loaded'];
/** Settings that set values of what is read. */
const CHANGING = ['properties', 'attributes'];
/** Juggler calls these of every instance that it makes. */
const INITIALIZING = ['afterInitialize', 'postInitialize'] as const;
/** What an application may have put another function in place of. */
const READ_STEPS = ['find', 'findOne', 'lookupModel', 'defaultScope', 'applyScope'] as const;
const PLAIN_TYPES: readonly unknown[] = [String, Number, Boolean, Date, Object];

/** Scalars, objects and arrays of them; not models in models, nor juggler's own types. */
function isPlain({type, persistDefaultValues}: JugglerProperty): boolean {
  if (persistDefaultValues === false) return false;
  if (Array.isArray(type)) return type.length === 0 || PLAIN_TYPES.includes(type[0]);
  return PLAIN_TYPES.includes(type);
}
