import type {Role} from './models/user.model';

/** Somebody of the example, with the password that `npm start` prints. */
export interface Person {
  readonly username: string;
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  readonly about: string;
}

/** Those who can sign in to a new inventory. */
export const PEOPLE: readonly Person[] = [
  {
    username: 'ada',
    name: 'Ada Lind',
    role: 'manager',
    password: 'ada-manager',
    about: 'may do everything',
  },
  {
    username: 'ben',
    name: 'Ben Okoro',
    role: 'buyer',
    password: 'ben-buyer',
    about: 'buys and sells: sees what suppliers ask',
  },
  {
    username: 'cleo',
    name: 'Cleo Marsh',
    role: 'clerk',
    password: 'cleo-clerk',
    about: 'keeps the stock: sees no supplier prices, deletes nothing',
  },
];
