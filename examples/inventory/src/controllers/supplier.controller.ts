import {inject, service} from '@loopback/core';
import {get, HttpErrors, post} from '@loopback/rest';
import {SecurityBindings, type UserProfile} from '@loopback/security';
import {SupplierService, type SupplierState} from '../services/supplier.service';

const STATE = {
  description: 'Whether the supplier changes stock at this moment',
  content: {
    'application/json': {
      schema: {type: 'object', properties: {running: {type: 'boolean'}}},
    },
  },
} as const;

/** The switch of the supplier, for whoever has signed in. */
export class SupplierController {
  constructor(
    @service(SupplierService) private readonly supplier: SupplierService,
    @inject(SecurityBindings.USER, {optional: true}) private readonly user?: UserProfile,
  ) {}

  @get('/supplier', {responses: {200: STATE}})
  state(): SupplierState {
    this.mustBeLoggedIn();
    return this.supplier.state;
  }

  @post('/supplier/start', {responses: {200: STATE}})
  start(): SupplierState {
    this.mustBeLoggedIn();
    return this.supplier.switchOn();
  }

  @post('/supplier/stop', {responses: {200: STATE}})
  async stop(): Promise<SupplierState> {
    this.mustBeLoggedIn();
    return this.supplier.switchOff();
  }

  private mustBeLoggedIn(): void {
    if (!this.user) throw new HttpErrors.Unauthorized('Please sign in.');
  }
}
