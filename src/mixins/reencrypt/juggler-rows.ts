import type {Options} from '@loopback/repository';
import type {JugglerModelClass} from '../juggler';
import type {Condition, Row} from '../plan';
import type {CiphertextColumns, StoredRow, StoredRows, Swap} from './stored-rows';

interface UpdatingConnector {
  update(
    model: string,
    where: Condition,
    data: Row,
    options: object,
    done: (error: Error | null, info?: {count?: number}) => void,
  ): void;
}

/** A table on any connector, row by row. Writes go past juggler's hooks: nothing has happened. */
export class JugglerRows implements StoredRows {
  private readonly names: readonly string[];

  constructor(
    private readonly model: JugglerModelClass,
    private readonly columns: CiphertextColumns,
    private readonly options: Options,
  ) {
    this.names = [...columns.encrypted, ...columns.indexes];
  }

  count(after: unknown): Promise<number> {
    return this.model.count(this.following(after), this.options);
  }

  batch(after: unknown, size: number): Promise<StoredRow[]> {
    const order = [`${this.columns.keyName} ASC`];
    return this.find({where: this.following(after), order, limit: size});
  }

  again(keys: readonly unknown[]): Promise<StoredRow[]> {
    return this.find({where: {[this.columns.keyName]: {inq: keys}}});
  }

  async swap(swaps: readonly Swap[]): Promise<unknown[]> {
    const {keyName} = this.columns;
    const set: unknown[] = [];
    for (const {row, values} of swaps) {
      const asRead = this.names.map(name => ({[name]: row.values[name] ?? null}));
      const count = await this.update({and: [{[keyName]: row.key}, ...asRead]}, {...values});
      if (count > 0) set.push(row.key);
    }
    return set;
  }

  private async find(filter: Row): Promise<StoredRow[]> {
    const {keyName, idName} = this.columns;
    const found = await this.model.find(filter, this.options);
    return found.map(instance => {
      const row = instance.toObject(true);
      const values = Object.fromEntries(this.names.map(name => [name, row[name] ?? null]));
      return {key: row[keyName], id: row[idName], values};
    });
  }

  private update(where: Condition, data: Row): Promise<number> {
    const connector = this.model.dataSource.connector as unknown as UpdatingConnector;
    return new Promise((resolve, reject) =>
      connector.update(this.model.modelName, where, data, {...this.options}, (error, info) =>
        error ? reject(error) : resolve(info?.count ?? 0),
      ),
    );
  }

  private following(after: unknown): Condition {
    return after === undefined ? {} : {[this.columns.keyName]: {gt: after}};
  }
}
