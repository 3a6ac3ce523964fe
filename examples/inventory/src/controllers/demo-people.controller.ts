import {inject} from '@loopback/core';
import {get, HttpErrors} from '@loopback/rest';
import {InventoryBindings} from '../keys';
import {PEOPLE, type Person} from '../people';

/** For the buttons of the sign-in page, where nobody but this machine can ask. */
export class DemoPeopleController {
  constructor(@inject(InventoryBindings.SHOW_PEOPLE) private readonly show: boolean) {}

  @get('/demo-people', {
    'x-visibility': 'undocumented',
    responses: {200: {description: 'Who can sign in to this example, passwords included'}},
  })
  people(): readonly Person[] {
    if (!this.show) throw new HttpErrors.NotFound();
    return PEOPLE;
  }
}
