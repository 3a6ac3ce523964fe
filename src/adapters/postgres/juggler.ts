import type {ConnectionSettings} from './connection';

/**
 * The parts of LoopBack's juggler that this adapter reads: a datasource on the PostgreSQL
 * connector, and its models (`repository.modelClass`).
 */
export interface JugglerDataSource {
  readonly settings: ConnectionSettings;
  readonly connector?: object;
}

export interface JugglerProperty {
  readonly type?: unknown;
  readonly id?: boolean | number;
  readonly hidden?: boolean;
  readonly encrypt?: unknown;
  readonly persistDefaultValues?: boolean;
  readonly [setting: string]: unknown;
}

export interface JugglerModel {
  readonly modelName: string;
  readonly definition: {
    readonly properties: Readonly<Record<string, JugglerProperty>>;
    readonly settings?: {
      readonly hiddenProperties?: readonly string[];
      readonly [setting: string]: unknown;
    };
  };
  new (data: object, options: object): {toObject(): Record<string, unknown>};
}

/** What the connector knows of names in the database, and how it reads a column. */
export interface PostgresConnector {
  table(model: string): string;
  schema(model: string): string | undefined;
  column(model: string, property: string): string;
  idNames(model: string): string[];
  fromColumnValue(property: JugglerProperty, value: unknown): unknown;
}

export function connectorOf(dataSource: JugglerDataSource): PostgresConnector {
  const connector = dataSource.connector as Partial<PostgresConnector> & {name?: string};
  if (connector?.name !== 'postgresql') {
    throw new TypeError(
      'live views over logical decoding need a datasource on loopback-connector-postgresql',
    );
  }
  return connector as PostgresConnector;
}

/** The name of a property's type as the juggler has it: 'String', 'Date', 'Array', a model's. */
export function typeNameOf(property: JugglerProperty): string {
  if (Array.isArray(property.type)) return 'Array';
  return typeof property.type === 'function' ? property.type.name : String(property.type);
}

/** The type of a list's items, or undefined where the property is no list or does not say. */
export function itemTypeNameOf(property: JugglerProperty): string | undefined {
  const item: unknown = Array.isArray(property.type) ? property.type[0] : undefined;
  return typeof item === 'function' ? item.name : undefined;
}
