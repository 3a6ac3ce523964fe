import type {Constructor} from '@loopback/core';
import type {Entity} from '@loopback/repository';
import type {RequestContext} from '@loopback/rest';
import type {AccessQuery} from '../../core/access';
import {CRUDBlockedError} from '../../core/errors';
import {isRefusal, ReadPermission} from '../authorization';
import type {AccessGate} from './access-gate';

/** Of each controller class, made when it first answers a write. */
const permissions = new WeakMap<Constructor<unknown>, ReadPermission | undefined>();

/**
 * A row as the answer of a write. Whoever may write it need not be allowed to read it: the answer
 * is subject to all that a read is, and of a row that may not be read it is the id.
 */
export class WrittenRow {
  /**
   * @param controllerClass Whose `@authorize` holds: the generated class, or one that extends it
   */
  constructor(
    private readonly entity: typeof Entity,
    private readonly http: RequestContext,
    private readonly gate: AccessGate | undefined,
    private readonly controllerClass: Constructor<unknown>,
  ) {}

  async answer(row: Entity): Promise<object> {
    const id = row.getId() as AccessQuery['id'];
    const hint = {[this.entity.getIdProperties()[0]]: id};
    if (!(await this.mayRead(id))) return hint;
    try {
      return this.gate ? await this.gate.show(row) : row;
    } catch (error) {
      if (error instanceof CRUDBlockedError) return hint;
      throw error;
    }
  }

  /** Whether `@authorize` and the `pre` filters would let the caller read the row. */
  async mayRead(id: unknown): Promise<boolean> {
    try {
      const source = {type: 'route', value: this.http};
      await this.permission()?.ask(this.http, source, id);
      await this.gate?.enter('read', {id: id as AccessQuery['id']});
      return true;
    } catch (error) {
      if (error instanceof CRUDBlockedError || isRefusal(error)) return false;
      throw error;
    }
  }

  private permission(): ReadPermission | undefined {
    if (!permissions.has(this.controllerClass)) {
      const name = `Answered${this.entity.modelName}Rows`;
      permissions.set(this.controllerClass, ReadPermission.of(name, this.controllerClass));
    }
    return permissions.get(this.controllerClass);
  }
}
