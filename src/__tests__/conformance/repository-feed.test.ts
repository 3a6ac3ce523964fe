import {loopbackWorlds} from '../support/loopback-live';
import {itDeliversCommittedTransactions} from './feed.suite';

for (const [title, given] of loopbackWorlds()) {
  describe(`the repository feed over ${title}, as a change feed`, () => {
    itDeliversCommittedTransactions(async () => {
      const world = await given();
      return world && {...world, feed: world.live.feed, shapes: world.live.shapes};
    });
  });
}
