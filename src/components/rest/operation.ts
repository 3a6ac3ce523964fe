import type {OperationObject, ParameterObject, RequestBodyObject} from '@loopback/rest';

/** One route: which method answers it, and its part of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** The method of the repository whose `@authorize` holds, unless its own has one. */
  readonly stands?: string;
  readonly verb: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly parameters: readonly ParameterObject[];
  /** When there is one, it is the method's argument between the other parameters and headers. */
  readonly body?: RequestBodyObject;
  readonly spec: OperationObject;
}
