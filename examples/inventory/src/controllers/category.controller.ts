import {defineEntityController} from 'loopback4-live-entities';
import {Category} from '../models/category.model';
import {CategoryRepository} from '../repositories/category.repository';

export const CategoryController = defineEntityController(Category, CategoryRepository, {
  basePath: '/categories',
});
