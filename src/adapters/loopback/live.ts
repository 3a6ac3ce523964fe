import type {EntityShape} from '../../core/shape';
import type {JugglerModelClass} from '../../mixins/juggler';
import {describeEntity} from './entity';
import {RepositoryFeed} from './feed';
import {LoopbackRowSource} from './row-source';

export interface LoopbackLive {
  readonly shapes: readonly EntityShape[];
  readonly feed: RepositoryFeed;
  readonly source: LoopbackRowSource;
}

/** What live views need of models on any connector: shapes, the feed, and the reader of rows. */
export function createLoopbackLive(models: readonly object[]): LoopbackLive {
  const described = models.map(model => describeEntity(model as JugglerModelClass));
  const entities = new Map(described.map(entity => [entity.shape.name, entity]));
  return {
    shapes: described.map(({shape}) => shape),
    feed: new RepositoryFeed(entities),
    source: new LoopbackRowSource(entities),
  };
}
