import {Context} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  model,
  property,
  type juggler,
} from '@loopback/repository';
import {LiveEntitiesBindings} from '../../keys';
import type {BehaviourName} from '../../mixins/behaviour';
import type {CryptoConfig} from '../../mixins/crypto/config';
import type {
  EncryptedRepository,
  HistoricalRepository,
  SoftDeletableRepository,
  VersionedRepository,
} from '../../mixins/repository-methods';
import type {Surroundings} from '../../mixins/surroundings';
import type {AuditedEntity, SoftDeletableEntity, VersionedEntity} from '../../mixins/model-mixins';
import {DECORATORS, migrate} from './behaviours';

export interface Person extends Entity, VersionedEntity, AuditedEntity, SoftDeletableEntity {
  id: string;
  name?: string | null;
  email?: string | null;
  ssn?: string | null;
  age?: number | null;
  born?: Date | null;
  member?: boolean | null;
  diary?: string | null;
  profile?: object | null;
  tags?: string[] | null;
}

export type PersonRepository = DefaultTransactionalRepository<Person, string> &
  EncryptedRepository &
  VersionedRepository<Person, string> &
  SoftDeletableRepository<Person, string> &
  HistoricalRepository<Person, string> & {liveContext?: Context; surroundings: Surroundings};

let models = 0;

/** A model whose every type of property is encrypted, and all that can be found are searchable. */
export function givenPersonModel(name = `Person${++models}`) {
  const searchable = {encrypt: {searchable: true}};
  @model({name})
  class PersonModel extends Entity {
    @property({type: 'string', id: true}) id!: string;
    @property({type: 'string'}) name?: string;
    @property({
      type: 'string',
      index: {unique: true},
      encrypt: {searchable: true, normalize: ['trim', 'lowercase']},
    })
    email?: string;
    @property({type: 'string', ...searchable}) ssn?: string;
    @property({type: 'number', ...searchable}) age?: number;
    @property({type: 'date', ...searchable}) born?: Date;
    @property({type: 'boolean', ...searchable}) member?: boolean;
    @property({type: 'string', encrypt: true}) diary?: string;
    @property({type: 'object', encrypt: true}) profile?: object;
    @property({type: 'array', itemType: 'string', encrypt: true}) tags?: string[];
  }
  return PersonModel;
}

type PersonModel = ReturnType<typeof givenPersonModel>;

export interface PeopleOptions {
  readonly behaviours?: readonly BehaviourName[];
  readonly config?: CryptoConfig;
  /** To open the tables of another repository once more, with other keys. */
  readonly entity?: PersonModel;
}

/** A repository of people, with its tables. */
export async function givenPeople(
  dataSource: juggler.DataSource,
  {behaviours = ['crypto'], config = keys('k1'), entity = givenPersonModel()}: PeopleOptions = {},
): Promise<PersonRepository> {
  class People extends DefaultTransactionalRepository<Person, string> {
    constructor(db: juggler.DataSource) {
      super(entity as never, db);
    }
  }
  for (const name of behaviours) DECORATORS[name]()(People);
  const repository = new People(dataSource) as unknown as PersonRepository;
  repository.liveContext = new Context();
  repository.liveContext.configure(LiveEntitiesBindings.CRYPTO).to(config);
  await migrate(dataSource);
  return repository;
}

/** A configuration with these keys, of which the last one encrypts unless another is named. */
export function keys(...ids: string[]): CryptoConfig & {keys: object[]} {
  return {
    keys: ids.map(id => ({id, secret: Buffer.alloc(32, id)})),
    current: ids[ids.length - 1],
  };
}
