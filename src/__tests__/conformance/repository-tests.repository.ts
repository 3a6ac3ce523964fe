import {
  DefaultTransactionalRepository,
  type DataObject,
  type Entity,
  type juggler,
  type Options,
} from '@loopback/repository';
import {audited, encrypted, historical, softDeletable, versioned} from '../../mixins/decorators';
import {VersionRequiredError} from '../../mixins/errors';
import {givenContext} from '../support/behaviours';

const context = givenContext();

/** Properties of the suite's models that can be encrypted, because it puts them into no query. */
const NEVER_QUERIED = ['street', 'zipcode', 'city', 'province', 'email'];

/**
 * A repository with all five behaviours for a suite that has never heard of them. It names the
 * version for writes that name none, as a caller who wants the last write to win would; and it does
 * not list what behaviours have added to an entity, nor what is undefined (a created entity has no
 * such keys here, LoopBack's has), because the suite compares whole entities.
 */
@versioned()
@audited()
@softDeletable()
@historical()
@encrypted()
export class AllFiveRepository<
  T extends Entity,
  ID,
  Relations extends object = {},
> extends DefaultTransactionalRepository<T, ID, Relations> {
  constructor(entityClass: typeof Entity & {prototype: T}, dataSource: juggler.DataSource) {
    const {properties, settings} = entityClass.definition;
    for (const name of NEVER_QUERIED) if (properties[name]) properties[name].encrypt = true;
    super(entityClass, dataSource);
    settings.hiddenProperties = Object.keys(properties).filter(isAdded);
    (this as {liveContext?: unknown}).liveContext = context;
    migrateHistoriesToo(dataSource);
  }

  override async updateById(id: ID, data: DataObject<T>, options?: Options): Promise<void> {
    return this.withVersion(id, options, o => super.updateById(id, data, o));
  }

  override async replaceById(id: ID, data: DataObject<T>, options?: Options): Promise<void> {
    return this.withVersion(id, options, o => super.replaceById(id, data, o));
  }

  override async deleteById(id: ID, options?: Options): Promise<void> {
    return this.withVersion(id, options, o => super.deleteById(id, o));
  }

  protected override toEntity<R extends T>(row: juggler.PersistedModel): R {
    const entity = super.toEntity<R>(row);
    for (const [name, value] of Object.entries(entity)) {
      if (isAdded(name)) Object.defineProperty(entity, name, {enumerable: false});
      if (value === undefined) delete entity[name as keyof R];
    }
    return entity;
  }

  private async withVersion(
    id: ID,
    options: Options | undefined,
    write: (options?: Options) => Promise<void>,
  ): Promise<void> {
    try {
      await write(options);
    } catch (error) {
      if (!(error instanceof VersionRequiredError)) throw error;
      const {_version} = (await this.findById(id, undefined, options)) as {_version?: string};
      await write({...options, version: _version});
    }
  }
}

function isAdded(name: string): boolean {
  return name.startsWith('_') && name !== '_rev';
}

const complete = new WeakSet<juggler.DataSource>();

/** The suite migrates the models that it knows, where an application migrates all it has. */
function migrateHistoriesToo(dataSource: juggler.DataSource): void {
  if (complete.has(dataSource)) return;
  complete.add(dataSource);
  const automigrate = dataSource.automigrate.bind(dataSource) as (...a: unknown[]) => Promise<void>;
  dataSource.automigrate = (models?: string | string[], ...callback: unknown[]) => {
    const names = [models ?? []].flat().flatMap(name => [name, `${name}History`]);
    const known = names.filter(name => dataSource.getModel(name));
    return automigrate(known.length ? known : undefined, ...callback);
  };
}
