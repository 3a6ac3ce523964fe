import {givenPostgres18} from '../support/databases';
import {givenLiveDatabase} from '../support/live-database';
import {itDeliversCommittedTransactions} from './feed.suite';

describe('the PostgreSQL feed, as a change feed', () => {
  itDeliversCommittedTransactions(async () => {
    const {live, database, products, categories, drop} =
      await givenLiveDatabase(await givenPostgres18());
    const {feed, shapes} = live;
    return {feed, shapes, products, categories, drop, sql: text => database.query(text)};
  });
});
