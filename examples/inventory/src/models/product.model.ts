import {Entity, model, property} from '@loopback/repository';
import {Audited, SoftDeletable, Versioned} from 'loopback4-live-entities';

// LoopBack answers a numeric column as text; whole cents are exact in a double up to 10^13 dollars.
const money = {dataType: 'double precision'};

/** Something that is in stock, or should be. */
@model({
  settings: {
    indexes: {
      productCategoryName: {keys: {category: 1, name: 1}},
      productCategoryQty: {keys: {category: 1, qty: 1}},
    },
  },
})
export class Product extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({type: 'string', id: true, defaultFn: 'uuidv4'})
  id: string;

  @property({type: 'string', required: true, jsonSchema: {minLength: 1, maxLength: 200}})
  name: string;

  /** Pieces in stock. */
  @property({
    type: 'number',
    required: true,
    jsonSchema: {type: 'integer', minimum: 0, maximum: 1_000_000},
    postgresql: {dataType: 'integer'},
  })
  qty: number;

  /** What a customer pays, in dollars. */
  @property({
    type: 'number',
    required: true,
    jsonSchema: {minimum: 0, maximum: 10_000_000},
    postgresql: money,
  })
  price: number;

  @property({type: 'string', jsonSchema: {maxLength: 2000}})
  desc?: string;

  /** Id of the {@link Category}. */
  @property({type: 'string', required: true, jsonSchema: {minLength: 1, maxLength: 100}})
  category: string;

  /** What we pay, in dollars. Ciphertext in the database; shown to buyers and managers only. */
  @property({type: 'number', encrypt: true, jsonSchema: {minimum: 0, maximum: 10_000_000}})
  supplierPrice?: number;
}
