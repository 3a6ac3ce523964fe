import type {UserProfile} from '@loopback/security';
import {HttpErrors} from '@loopback/rest';
import type {AccessFilter, AccessRequest} from 'loopback4-live-entities';
import type {Role} from '../models/user.model';

/*
 * Who may do what, over REST and over the socket alike.
 *
 *            sees                    changes     creates, deletes, restores    supplier price
 * manager    products, categories,   all         products, categories, users   yes
 *            users
 * buyer      products, categories    products    products                      yes
 * clerk      products, categories    products    -                             no
 */

const READS: readonly AccessRequest['action'][] = ['read', 'subscribe'];
const BUYING: readonly Role[] = ['manager', 'buyer'];

/** Lets pass who has signed in. */
export const mustBeLoggedIn: AccessFilter = (request, next) => {
  signedIn(request);
  return next();
};

/** Users are the managers' business. */
export const managersOnly: AccessFilter = (request, next) => {
  allow(request, ['manager'], 'Only managers may do that.');
  return next();
};

/** Categories are read by all who have signed in, and written by managers. */
export const guardCategory: AccessFilter = (request, next) => {
  signedIn(request);
  if (!READS.includes(request.action)) {
    allow(request, ['manager'], 'Only managers change categories.');
  }
  return next();
};

/** Products are read and changed by all who have signed in, within their role. */
export const guardProduct: AccessFilter = (request, next) => {
  signedIn(request);
  if (concernsAllOfIt(request)) {
    allow(request, BUYING, 'Only buyers and managers create, delete and restore products.');
  }
  if (touchesSupplierPrice(request)) {
    allow(request, BUYING, 'Only buyers and managers set supplier prices.');
  }
  return next();
};

/** Takes the supplier price out of what others are sent. */
export const hideSupplierPrice: AccessFilter = (request, next) => {
  if (!isOneOf(request.principal, BUYING) && request.resource) {
    delete request.resource.supplierPrice;
  }
  return next();
};

function signedIn({principal}: AccessRequest): UserProfile {
  if (principal) return principal;
  throw new HttpErrors.Unauthorized('Please sign in.');
}

function allow(request: AccessRequest, roles: readonly Role[], message: string): void {
  if (!isOneOf(signedIn(request), roles)) throw new HttpErrors.Forbidden(message);
}

function isOneOf(principal: UserProfile | undefined, roles: readonly Role[]): boolean {
  return roles.includes(principal?.role as Role);
}

/** Besides creating and deleting: an update that brings no value restores or reverts the row. */
function concernsAllOfIt({action, query}: AccessRequest): boolean {
  if (query.field !== undefined) return false;
  if (action === 'update') return query.value === undefined;
  return action === 'create' || action === 'delete';
}

function touchesSupplierPrice({action, query}: AccessRequest): boolean {
  if (READS.includes(action)) return false;
  const {field, value} = query;
  return (
    field === 'supplierPrice' ||
    (typeof value === 'object' && value !== null && 'supplierPrice' in value)
  );
}
