import {Context} from '@loopback/core';
import {
  DefaultTransactionalRepository,
  Entity,
  model,
  property,
  type juggler,
} from '@loopback/repository';
import {SecurityBindings, securityId} from '@loopback/security';
import {audited, historical, softDeletable, versioned} from '../../mixins/decorators';
import {embedsMany, embedsOne} from '../../mixins/embedded/decorators';
import {EmbeddingMixin, HistoryMixin, SoftDeleteMixin, VersionMixin} from '../../mixins/mixins';
import {Audited, Versioned} from '../../mixins/model-mixins';
import {migrate} from './behaviours';

/** The models of the original's section on embedded entities, and a list beside the child. */
@model()
export class Author extends Versioned(Entity) {
  @property({type: 'string', id: true}) id?: string;
  @property({type: 'string', required: true, jsonSchema: {minLength: 1}}) name!: string;
  @property({type: 'date'}) born?: Date;
  @property({type: 'string', hidden: true}) address?: string;
}

@model()
export class Chapter extends Versioned(Entity) {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string', required: true}) title!: string;
  @property({type: 'number', default: 1}) pages?: number;
}

@model()
export class Book extends Versioned(Entity) {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string', required: true}) name!: string;
  @embedsOne(() => Author) author?: Author;
  @embedsMany(() => Chapter) chapters?: Chapter[];
}

@versioned()
@audited()
@softDeletable()
@historical()
export class BookRepository extends HistoryMixin(
  SoftDeleteMixin(VersionMixin(DefaultTransactionalRepository<Book, string>)),
) {
  constructor(dataSource: juggler.DataSource) {
    super(Book, dataSource);
  }
}

/** A child that records who wrote it, and one that is plain data. */
@model()
export class Review extends Audited(Entity) {
  @property({type: 'number', id: true}) id!: number;
  @property({type: 'string', required: true}) text!: string;
}

@model()
export class Address extends Entity {
  @property({type: 'string', required: true}) city!: string;
  @property({type: 'string'}) street?: string;
}

/** A parent with versions whose children have none. */
@model()
export class Shop extends Versioned(Entity) {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) name?: string;
  @embedsOne(() => Address) address?: Address;
  @embedsMany(() => Review) reviews?: Review[];
}

export class ShopRepository extends VersionMixin(DefaultTransactionalRepository<Shop, string>) {
  constructor(dataSource: juggler.DataSource) {
    super(Shop, dataSource);
  }
}

/** Without any behaviour. */
@model()
export class Note extends Entity {
  @property({type: 'string', id: true}) id!: string;
  @property({type: 'string'}) title?: string;
  @embedsOne(() => Address) address?: Address;
  @embedsMany(() => Review) reviews?: Review[];
}

export class NoteRepository extends EmbeddingMixin(DefaultTransactionalRepository<Note, string>) {
  constructor(dataSource: juggler.DataSource) {
    super(Note, dataSource);
  }
}

export interface Library {
  readonly books: BookRepository;
  readonly shops: ShopRepository;
  readonly notes: NoteRepository;
}

/** Repositories of all of them on one datasource; Ann is signed in. */
export async function givenLibrary(dataSource: juggler.DataSource): Promise<Library> {
  const context = new Context();
  context.bind(SecurityBindings.USER).to({[securityId]: 'ann'});
  const library = {
    books: new BookRepository(dataSource),
    shops: new ShopRepository(dataSource),
    notes: new NoteRepository(dataSource),
  };
  for (const repository of Object.values(library)) {
    (repository as {liveContext?: Context}).liveContext = context;
  }
  await migrate(dataSource);
  return library;
}
