import assert from 'node:assert/strict';
import {inject} from '@loopback/core';
import {
  DefaultCrudRepository,
  DefaultTransactionalRepository,
  Entity,
  type juggler,
  model,
  property,
  RepositoryMixin,
} from '@loopback/repository';
import {type OpenApiSpec, RestApplication} from '@loopback/rest';
import {type Client, createRestAppClient, validateApiSpec} from '@loopback/testlab';
import {LiveEntitiesComponent} from '../../../components/live-entities.component';
import {realtime} from '../../../components/realtime/decorators';
import {defineEntityController} from '../../../components/rest/entity-controller';
import {LiveEntitiesBindings} from '../../../keys';
import type {BehaviourName} from '../../../mixins/behaviour';
import {embedsMany, embedsOne} from '../../../mixins/embedded/decorators';
import {Versioned} from '../../../mixins/model-mixins';
import {ALL, DECORATORS, givenContext, givenMemory} from '../../support/behaviours';
import {subsetsOf} from '../../support/subsets';
