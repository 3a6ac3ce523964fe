import type {Entity, RelationMetadata} from '@loopback/repository';
import type {EntityShape, Relation} from '../../core/shape';

/** What LoopBack's decorators note of a relation; which of it is there depends on the kind. */
type Noted = RelationMetadata & {
  readonly target?: () => typeof Entity;
  readonly keyFrom?: string;
  readonly keyTo?: string;
  readonly through?: object;
  readonly polymorphic?: unknown;
};

/**
 * The shapes with the relations of their models, for views that include them. What a view cannot
 * follow is noted with the reason, which a view that includes it is refused with.
 */
export function withRelations(
  shapes: readonly EntityShape[],
  classOf: (entity: string) => typeof Entity | undefined,
): ReadonlyMap<string, EntityShape> {
  const related = new Map<string, EntityShape>();
  for (const shape of shapes) {
    const noted = classOf(shape.name)?.definition.relations ?? {};
    const relations = Object.entries(noted).map(([name, relation]) =>
      [name, relationOf(relation as Noted, shape, related)] as const);
    related.set(shape.name, {...shape, relations: Object.fromEntries(relations)});
  }
  return related;
}

function relationOf(
  relation: Noted,
  shape: EntityShape,
  shapes: ReadonlyMap<string, EntityShape>,
): Relation | string {
  const {type, through, polymorphic} = relation;
  if (through) return 'goes through another entity; include that one, and this one in its scope';
  if (polymorphic) return 'is polymorphic, which a view cannot follow';
  if (!relation.target) return 'does not say which entity it leads to';
  // Classes can be declared after each other: they are asked for when a view needs them.
  const target = () => {
    const {modelName} = relation.target!();
    const known = shapes.get(modelName);
    if (known) return known;
    throw new Error(`${shape.name}.${relation.name} leads to ${modelName}, which is not live on ` +
      'the same data source: give its repository @realtime');
  };
  switch (type as string) {
    case 'belongsTo': {
      const {keyFrom = `${relation.name}Id`} = relation;
      const to = () => relation.keyTo ?? relation.target!().getIdProperties()[0];
      return {kind: 'one', from: keyFrom, get to() { return to(); }, target};
    }
    case 'hasMany':
    case 'hasOne': {
      const {keyFrom = shape.ids[0]} = relation;
      const to = () => relation.keyTo ?? inferredKey(relation, shape);
      const kind = String(type) === 'hasOne' ? 'one' : 'many';
      return {kind, from: keyFrom, get to() { return to(); }, target};
    }
    default:
      return `is of the kind ${type}, which a view cannot follow`;
  }
}

/** As LoopBack does it: what the other entity's belongsTo says, else the name with `Id`. */
function inferredKey(relation: Noted, {name}: EntityShape): string {
  const back = Object.values(relation.target!().definition.relations ?? {}) as Noted[];
  const own = back.find(each =>
    String(each.type) === 'belongsTo' && each.target?.().modelName === name);
  return own?.keyFrom ?? `${name[0].toLowerCase()}${name.slice(1)}Id`;
}
