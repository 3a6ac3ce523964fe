import type {Count, Filter, Options, Where} from '@loopback/repository';
import {checkedAge} from './age';
import type {BehaviourName} from './behaviour';
import {EmbeddingError} from './embedded/errors';
import {BehaviourMissingError, VersionConflictError} from './errors';
import {EntityHistory, type RevisionRef} from './history/entity-history';
import type {PruneOptions} from './history/prune';
import {countOf, type AnyEntity, type LiveRepositoryClass, type RepositoryClass} from './layer';
import {AS_OF, type LiveOptions} from './options';
import {reencrypt, type ReencryptOptions} from './reencrypt/reencrypt';

/* eslint-disable @typescript-eslint/no-explicit-any -- a mixin of LoopBack repositories needs it */

/** The methods that behaviours add; one that the repository does not have says so. */
// eslint-disable-next-line max-lines-per-function -- the function is a class
export function addedMethods(superClass: LiveRepositoryClass): RepositoryClass {
  abstract class WithAddedMethods extends superClass {
    /** Related rows of a state are read as they were with it, where they have a history. */
    override async find(filter?: Filter<any>, options?: Options): Promise<any[]> {
      const when = (options as LiveOptions | undefined)?.[AS_OF];
      const isPast = when !== undefined && this.live?.has('history');
      return isPast ? this.past().findAsOf(when, filter, options) : super.find(filter, options);
    }

    async withRetry(id: any, work: (entity: any) => Promise<any>, options: Options = {}) {
      this.need('version');
      const {attempts = 5, ...rest} = options;
      for (let left = attempts; ; left--) {
        try {
          return await work(await this.findById(id, undefined, rest));
        } catch (error) {
          if (!(error instanceof VersionConflictError) || left <= 1) throw error;
        }
      }
    }

    async restoreById(id: any, options?: Options): Promise<void> {
      this.need('softDelete');
      await this.cascade.run('restore', {id}, options);
    }

    async restoreAll(where?: Where<any>, options?: Options): Promise<Count> {
      this.need('softDelete');
      return countOf(this.cascade.run('restore', {where: where ?? {}}, options));
    }

    async purge(where?: Where<any>, age: {olderThan?: Date} = {}, options?: Options) {
      this.need('softDelete');
      const {olderThan} = checkedAge(age, ['olderThan']);
      // Never a merge: the caller's where is judged as a whole.
      const all = where ?? {};
      const aged = olderThan ? {and: [all, {_deletedOn: {lt: olderThan}}]} : all;
      return countOf(this.cascade.run('purge', {where: aged}, options));
    }

    async history(id: any, filter?: Filter<any>, options?: Options) {
      return this.past().of(id, filter ?? undefined, options);
    }

    async findHistory(filter?: Filter<any>, options?: Options) {
      return this.past().find(filter ?? undefined, options);
    }

    async findAsOf(when: Date | string, filter?: Filter<any>, options?: Options) {
      return this.past().findAsOf(when, filter ?? undefined, options);
    }

    async findByIdAsOf(id: any, when: Date | string, filter?: Filter<any>, options?: Options) {
      return this.past().findByIdAsOf(id, when, filter ?? undefined, options);
    }

    async diff(id: any, from: RevisionRef, to: RevisionRef, options?: Options) {
      return this.past().diff(id, from, to, options);
    }

    async revertTo(id: any, revision: number, options?: Options): Promise<void> {
      const data = await this.past().dataOf(id, revision, options);
      await this.writer.change('replace', {id}, data, options, {operation: 'revert'});
    }

    async pruneHistory(which: PruneOptions, options?: Options): Promise<Count> {
      return this.past().prune(which, options);
    }

    async redactHistory(id: any, fields: readonly string[], options?: Options): Promise<Count> {
      return this.past().redact(id, fields, options);
    }

    embedded(property: string) {
      if (this.live) return this.embeddings.repository(property);
      throw new EmbeddingError(`${this.entityClass.modelName} embeds nothing as "${property}".`);
    }

    async reencrypt(options?: ReencryptOptions) {
      this.need('crypto');
      return reencrypt(this.live, await this.surroundings.codec(), options);
    }

    protected past(): EntityHistory<AnyEntity> {
      this.need('history');
      return new EntityHistory(this, this.live.history!);
    }

    protected need(name: BehaviourName): void {
      if (this.live?.has(name)) return;
      throw new BehaviourMissingError(this.entityClass.modelName, name);
    }
  }
  return WithAddedMethods;
}
