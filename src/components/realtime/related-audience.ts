import type {RowImage} from '../../core/change';
import type {Audience} from '../../core/channel';
import type {Include} from '../../core/query';
import type {Row} from '../../protocol/page';

type Rendered = Row | undefined;
type Rendering = Rendered | Promise<Rendered>;

/** An include, and who sees what of its rows. */
export interface RelatedAudience {
  readonly include: Include;
  readonly audience: Audience;
}

/**
 * The audience of rows that bring related ones along: each related row is shown as its own entity's
 * filters leave it, under the relation's name, and left out where they refuse it.
 */
export function withRelated(own: Audience, related: readonly RelatedAudience[]): Audience {
  if (related.length === 0) return own;
  const all = [own, ...related.map(({audience}) => audience)];
  return {
    key: JSON.stringify(all.map(({key}) => key)),
    isPrivate: all.some(({isPrivate}) => isPrivate),
    render: image => {
      const row = attempt(own, image);
      const lists = related.map(each => listOf(image, each));
      const parts = [row, ...lists.flat()];
      if (!parts.some(part => part instanceof Promise)) {
        return joined(row as Rendered, lists as Rendered[][], related);
      }
      return settled(row, lists).then(([plain, rows]) => joined(plain, rows, related));
    },
  };
}

/** All are waited for at once, so that none can fail while nobody looks. */
function settled(
  row: Rendering,
  lists: readonly (readonly Rendering[])[],
): Promise<[Rendered, Rendered[][]]> {
  const all = lists.map(list => Promise.all(list.map(async each => each)));
  return Promise.all([row, Promise.all(all)]);
}

function listOf(image: RowImage, {include, audience}: RelatedAudience): Rendering[] {
  return (image.related?.[include.relation] ?? []).map(each => attempt(audience, each));
}

/** One that fails at once must not leave those before it, whose failures nobody would take. */
function attempt(audience: Audience, image: RowImage): Rendering {
  try {
    return audience.render(image);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** As a repository answers it: a relation that leads nowhere is not there. */
function joined(
  row: Rendered,
  lists: readonly (readonly Rendered[])[],
  related: readonly RelatedAudience[],
): Rendered {
  if (!row) return undefined;
  const found = related.flatMap(({include: {relation, kind}}, i) => {
    const rows = lists[i].filter(each => each !== undefined);
    if (rows.length === 0) return [];
    return [[relation, kind === 'many' ? rows : rows[rows.length - 1]] as const];
  });
  return found.length === 0 ? row : {...row, ...Object.fromEntries(found)};
}
