import {defineEntityController} from 'loopback4-live-entities';
import {User} from '../models/user.model';
import {UserRepository} from '../repositories/user.repository';

export const UserController = defineEntityController(User, UserRepository, {basePath: '/users'});
