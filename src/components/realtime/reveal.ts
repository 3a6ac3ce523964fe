import type {Row} from '../../protocol/page';
import type {Reveal} from './realtime-entity';
import type {FoundRepository} from './registry';

/** The repository layer's way to decrypt; absent in repositories without behaviours. */
interface WithCodec {
  readonly surroundings?: {
    codec(): Promise<
      | {
          readonly properties: readonly string[];
          decrypt(row: Row, context: {id: unknown}): Row | Promise<Row>;
        }
      | undefined
    >;
  };
}

/** Decrypts the wanted properties of a stored row. */
export function revealerOf(repository: FoundRepository['repository']): Reveal | undefined {
  const {surroundings} = repository as unknown as WithCodec;
  if (!surroundings) return undefined;
  const idName = repository.entityClass.getIdProperties()[0];
  return async (row: Row, wanted: readonly string[]): Promise<Row> => {
    const codec = await surroundings.codec();
    const secret = codec?.properties.filter(name => wanted.includes(name) && row[name] != null);
    if (!codec || !secret?.length) return row;
    const sealed = Object.fromEntries(secret.map(name => [name, row[name]]));
    return {...row, ...(await codec.decrypt(sealed, {id: row[idName]}))};
  };
}
