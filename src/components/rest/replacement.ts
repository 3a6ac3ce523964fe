import {VersionConflictError} from '../../mixins/errors';
import type {AccessGate} from './access-gate';
import {hiddenProperties} from './hidden';
import {asPrecondition, type IfMatch} from './preconditions';
import type {AnyEntity, ControllerEntity, Row} from './types';

/** What a PUT leaves of a row as it is, because its sender cannot have read it. */
export class Replacement {
  private readonly hidden: ReadonlySet<string>;

  constructor(
    private readonly described: ControllerEntity,
    private readonly gate: AccessGate | undefined,
  ) {
    const {entity, embedded, behaviours} = described;
    // Children stay as they are in any case, and so does what the server makes.
    const others = new Set([
      ...embedded.map(({name}) => name),
      ...behaviours.flatMap(behaviour => Object.keys(behaviour.properties)),
    ]);
    this.hidden = new Set([...hiddenProperties(entity)].filter(name => !others.has(name)));
  }

  /** Whether the row has to be read for it, whoever sends it. */
  get needsRow(): boolean {
    return this.hidden.size > 0;
  }

  async unseen(before: AnyEntity): Promise<Row> {
    const held = Object.entries(before.toObject()).filter(([, value]) => value !== undefined);
    const kept = Object.fromEntries(held.filter(([name]) => this.hidden.has(name)));
    return {...kept, ...(await this.gate?.unseen(before))};
  }

  /**
   * What is kept is that of the row as it was read, so it has to be this version that is replaced.
   *
   * @returns The precondition of the write
   * @throws VersionConflictError when the client names another
   */
  ofVersionRead(before: AnyEntity, ifMatch: IfMatch | undefined, body: Row): IfMatch | undefined {
    const {behaviours, entity} = this.described;
    if (!behaviours.some(({name}) => name === 'version')) return ifMatch;
    const current = (before._version ?? null) as string | null;
    const conflict = (expected: unknown) =>
      new VersionConflictError(entity.modelName, before.getId(), expected as string, current);
    if (ifMatch !== undefined && ifMatch !== '*' && ifMatch.length > 0) {
      const isNamed = current !== null && ifMatch.includes(current);
      if (!isNamed) throw asPrecondition(conflict(ifMatch[0]));
      return [current];
    }
    if (body._version !== undefined && body._version !== current) throw conflict(body._version);
    return ifMatch;
  }
}
