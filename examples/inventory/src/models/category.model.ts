import {Entity, model, property} from '@loopback/repository';
import {Audited, SoftDeletable, Versioned} from 'loopback4-live-entities';

/** A shelf of the warehouse: chairs, labels, phones, … */
@model()
export class Category extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({type: 'string', id: true, defaultFn: 'uuidv4'})
  id: string;

  @property({type: 'string', required: true, jsonSchema: {minLength: 1, maxLength: 100}})
  name: string;

  @property({type: 'string', jsonSchema: {maxLength: 2000}})
  desc?: string;
}
