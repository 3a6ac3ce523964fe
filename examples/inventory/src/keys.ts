import {BindingKey} from '@loopback/core';

export namespace InventoryBindings {
  /** Where the database is; the data source is made of it. */
  export const DATABASE = BindingKey.create<{url: string}>('datasources.config.db');

  /** Whether the sign-in page may be told who can sign in, passwords included. */
  export const SHOW_PEOPLE = BindingKey.create<boolean>('inventory.show-people');
}
