import {Entity, model, property} from '@loopback/repository';
import {Audited, Versioned} from 'loopback4-live-entities';

/** What somebody may do: see `services/access.ts`. */
export type Role = 'manager' | 'buyer' | 'clerk';

/** Somebody who can sign in; the id is the name they sign in with. */
@model({settings: {postgresql: {table: 'users'}, hiddenProperties: ['password']}})
export class User extends Versioned(Audited(Entity)) {
  @property({
    type: 'string',
    id: true,
    required: true,
    jsonSchema: {pattern: '^[a-z][a-z0-9._-]{1,30}$'},
  })
  id: string;

  @property({type: 'string', required: true, jsonSchema: {minLength: 1, maxLength: 100}})
  name: string;

  @property({
    type: 'string',
    required: true,
    jsonSchema: {enum: ['manager', 'buyer', 'clerk']},
  })
  role: Role;

  /** Given in plain, stored as a bcrypt hash by the repository, never answered. */
  @property({
    type: 'string',
    required: true,
    hidden: true,
    jsonSchema: {minLength: 8, maxLength: 72},
  })
  password: string;
}
