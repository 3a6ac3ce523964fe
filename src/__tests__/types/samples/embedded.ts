import {DefaultTransactionalRepository, Entity, model, property} from '@loopback/repository';
import {
  embedsMany,
  embedsOne,
  EmbeddingMixin,
  VersionMixin,
  Versioned,
} from 'loopback4-live-entities';

@model()
export class Author extends Versioned(Entity) {
  @property({type: 'string', id: true}) id: string;
  @property({type: 'string'}) name: string;
}

@model()
export class Chapter extends Entity {
  @property({type: 'string', id: true}) id: string;
  @property({type: 'string'}) title: string;
}

@model()
export class Book extends Versioned(Entity) {
  @property({type: 'string', id: true}) id: string;
  @embedsOne(() => Author) author?: Author;
  @embedsMany(() => Chapter) chapters?: Chapter[];
}

export class BookRepository extends VersionMixin(DefaultTransactionalRepository<Book, string>) {}
export class PlainRepository extends EmbeddingMixin(DefaultTransactionalRepository<Book, string>) {}

export async function children(books: BookRepository & PlainRepository): Promise<void> {
  const author = books.embedded('author');
  const {name, _version}: Author = await author.get('b');
  const named = {_version, _parentVersion: _version};
  const updated: Author = await author.update('b', {name, ...named}, {reason: 'typo'});
  await author.create('b', {name: updated.name, _parentVersion: _version});
  await author.replace('b', {name, ...named});
  await author.delete('b', {_parentVersion: _version, remoteUser: 'ann'});

  const chapters = books.embedded('chapters');
  const [first]: Chapter[] = await chapters.get('b');
  const one: Chapter = await chapters.get('b', first.id);
  await chapters.create('b', {title: one.title});
  await chapters.update('b', one.id, {title: 'I'});
  await chapters.delete('b', one.id, {version: _version});

  // @ts-expect-error a child has its own properties
  await author.update('b', {title: 'x'});
  // @ts-expect-error a child of a list has an id
  await chapters.update('b', {title: 'x'});
  // @ts-expect-error a text embeds nothing
  books.embedded('id');
}
