import type {ModelDefinition} from '@loopback/repository';
import type {BehaviourName} from './behaviour';

/** The names under which models and applications switch behaviours on and off. */
export const MIXIN_NAMES = {
  VersionMixin: 'version',
  AuditFieldsMixin: 'audit',
  SoftDeleteMixin: 'softDelete',
  HistoryMixin: 'history',
  CryptoMixin: 'crypto',
} as const satisfies Record<string, BehaviourName>;

/** Behaviours by mixin name; what is not named is left to the next in line. */
export type MixinSettings = {readonly [name in keyof typeof MIXIN_NAMES]?: boolean};

const recorded = new WeakMap<object, Set<BehaviourName>>();
const declarative = new WeakSet<object>();
const embedding = new WeakSet<object>();

/** Records a behaviour of a class, which its subclasses inherit. Twice is once. */
export function recordBehaviour(target: object, name: BehaviourName): void {
  const names = recorded.get(target) ?? new Set();
  recorded.set(target, names.add(name));
}

const cascades = new WeakMap<object, readonly string[]>();

/** Records the relations that a class's deletions follow, which its subclasses inherit. */
export function recordCascade(target: object, relations: readonly string[]): void {
  cascades.set(target, relations);
}

export function cascadeOf(repositoryClass: object): readonly string[] {
  for (let c = repositoryClass; c; c = Object.getPrototypeOf(c)) {
    const relations = cascades.get(c);
    if (relations) return relations;
  }
  return [];
}

/** Lets the model's settings and the application decide for repositories of this class. */
export function markDeclarative(target: object): void {
  declarative.add(target);
}

/** Says that repositories of this class may reach embedded children. */
export function markEmbedding(target: object): void {
  embedding.add(target);
}

/**
 * The behaviours of a repository: those of its class and of the classes above it, and for a
 * declarative one those that the model's settings or, failing that, the application name.
 */
export function behavioursOf(
  repositoryClass: object,
  definition: ModelDefinition,
  defaults: MixinSettings = {},
): Set<BehaviourName> {
  const names = new Set<BehaviourName>();
  let decides = false;
  for (let c = repositoryClass; c; c = Object.getPrototypeOf(c)) {
    recorded.get(c)?.forEach(name => names.add(name));
    decides ||= declarative.has(c);
  }
  if (decides) {
    const wanted: MixinSettings = {...defaults, ...definition.settings.mixins};
    for (const [mixin, name] of Object.entries(MIXIN_NAMES)) {
      if (wanted[mixin as keyof MixinSettings]) names.add(name);
    }
  }
  return names;
}

/** Whether repositories of this class are more than LoopBack's own, or can be by declaration. */
export function mayHaveBehaviours(repositoryClass: object): boolean {
  for (let c = repositoryClass; c; c = Object.getPrototypeOf(c)) {
    if (recorded.has(c) || declarative.has(c) || embedding.has(c)) return true;
  }
  return false;
}

export function isDeclarative(repositoryClass: object): boolean {
  for (let c = repositoryClass; c; c = Object.getPrototypeOf(c)) {
    if (declarative.has(c)) return true;
  }
  return false;
}
