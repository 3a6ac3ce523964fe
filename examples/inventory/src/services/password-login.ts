import {BindingScope, injectable} from '@loopback/core';
import {repository} from '@loopback/repository';
import {HttpErrors} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import type {LoginService} from 'loopback4-live-entities';
import type {User} from '../models/user.model';
import {UserRepository} from '../repositories/user.repository';
import {passwordMatches} from './passwords';

/** Knows people by name and password; used by `POST /login` and by the socket's `login`. */
@injectable({scope: BindingScope.TRANSIENT})
export class PasswordLoginService implements LoginService {
  constructor(@repository(UserRepository) private readonly users: UserRepository) {}

  async login(credentials: Readonly<Record<string, unknown>>): Promise<UserProfile> {
    const {username, password} = credentials;
    if (typeof username !== 'string' || typeof password !== 'string') {
      throw new HttpErrors.Unauthorized('A username and a password are needed.');
    }
    const user = await this.users.findOne({where: {id: username}});
    if (!(await passwordMatches(password, user?.password)) || !user) {
      throw new HttpErrors.Unauthorized('The name or the password is wrong.');
    }
    return profileOf(user);
  }

  /** Who that is by now: roles change, and people leave, while their tokens are still good. */
  async current(who: UserProfile): Promise<UserProfile | undefined> {
    const user = await this.users.findOne({where: {id: who[securityId]}});
    return user ? profileOf(user) : undefined;
  }
}

/** What the token holds, and so what filters know of a person. */
function profileOf({id, name, role}: User): UserProfile {
  return {[securityId]: id, id, username: id, name, role};
}
