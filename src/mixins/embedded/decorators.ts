import {property, type Model, type PropertyDefinition} from '@loopback/repository';

/** The model of an embedded child, given as a function because models can refer to each other. */
export type EmbeddedTarget = () => typeof Model;

/** Further settings of the property, such as `required`, `description` or a connector's own. */
export type EmbeddedSettings = Partial<Omit<PropertyDefinition, 'type' | 'itemType'>>;

const COLUMN = {postgresql: {dataType: 'jsonb'}, mysql: {dataType: 'json'}};

/**
 * Declares a child that is stored inside its parent's row: `jsonb` on PostgreSQL, JSON or text on
 * other databases. The parent's repository reaches it by `embedded('author')`.
 *
 * A child whose model is `Versioned` gets the parent's version when the parent is created, and each
 * time that it is written itself; a write of the parent leaves the child and its version alone.
 *
 * @example
 * ```ts
 * @model()
 * export class Author extends Versioned(Entity) {
 *   @property({type: 'string', id: true}) id: string;
 *   @property({type: 'string', required: true}) name: string;
 * }
 *
 * @model()
 * export class Book extends Versioned(Entity) {
 *   @property({type: 'string', id: true}) id: string;
 *   @embedsOne(() => Author) author?: Author;
 * }
 * ```
 */
export function embedsOne(
  target: EmbeddedTarget,
  settings: EmbeddedSettings = {},
): PropertyDecorator {
  return property({...COLUMN, ...settings, type: target, embeds: 'one'});
}

/**
 * Declares a list of children that is stored inside their parent's row. Each child has an id of its
 * own; where its model has a text id, a missing one is made.
 *
 * @example
 * ```ts
 * @model()
 * export class Chapter extends Versioned(Entity) {
 *   @property({type: 'string', id: true}) id: string;
 *   @property({type: 'string', required: true}) title: string;
 * }
 *
 * @model()
 * export class Book extends Versioned(Entity) {
 *   @property({type: 'string', id: true}) id: string;
 *   @embedsMany(() => Chapter) chapters?: Chapter[];
 * }
 * ```
 */
export function embedsMany(
  target: EmbeddedTarget,
  settings: EmbeddedSettings = {},
): PropertyDecorator {
  return property({...COLUMN, ...settings, type: Array, itemType: target, embeds: 'many'});
}
