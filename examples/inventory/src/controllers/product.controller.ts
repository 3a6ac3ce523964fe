import {defineEntityController} from 'loopback4-live-entities';
import {Product} from '../models/product.model';
import {ProductRepository} from '../repositories/product.repository';

export const ProductController = defineEntityController(Product, ProductRepository, {
  basePath: '/products',
});
