import type {juggler} from '@loopback/repository';
import {givenMemory} from '../support/behaviours';
import {behavioursSuite} from './behaviours.suite';

describe('behaviours on the memory connector', () => {
  let dataSource: juggler.DataSource;
  before(() => {
    dataSource = givenMemory();
  });

  behavioursSuite({dataSource: () => dataSource, rawRows, crowd: 40});
});

async function rawRows(dataSource: juggler.DataSource, modelName: string) {
  const cache = (dataSource.connector as unknown as {cache: Record<string, Record<string, string>>})
    .cache[modelName];
  return Object.values(cache).map(row => JSON.parse(row));
}
