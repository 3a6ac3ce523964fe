import type {RowImage} from './change';
import type {Referee} from './match';
import type {Judgement, RowSource} from './ports';
import type {ViewQuery} from './query';
import {imagesToJudge, type NetChange, type WindowState} from './window';

/** The referee who has the database's word on everything that a step needs to know. */
export async function judged(
  source: RowSource,
  query: ViewQuery,
  state: WindowState,
  changes: readonly NetChange[],
): Promise<Referee> {
  const images = imagesToJudge(state, changes);
  return refereeFrom(images, await source.judge(query, images));
}

function refereeFrom(images: readonly RowImage[], verdicts: readonly Judgement[]): Referee {
  const words = new Map(images.map((image, i) => [image, verdicts[i]]));
  return {
    matches: image => words.get(image)?.matches ?? 'ask',
    compare: (a, b) => {
      const [x, y] = [words.get(a), words.get(b)];
      return x && y ? x.rank - y.rank : 'ask';
    },
  };
}
