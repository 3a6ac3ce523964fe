import type {TokenService} from '@loopback/authentication';
import {inject} from '@loopback/core';
import {post, requestBody, type SchemaObject} from '@loopback/rest';
import {securityId, type UserProfile} from '@loopback/security';
import {LiveEntitiesBindings, type LoginService} from 'loopback4-live-entities';

interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Session {
  /** For the header `Authorization: Bearer …`, and for the socket. */
  readonly token: string;
  readonly user: Omit<UserProfile, typeof securityId>;
}

const CREDENTIALS: SchemaObject = {
  type: 'object',
  required: ['username', 'password'],
  additionalProperties: false,
  properties: {
    username: {type: 'string', maxLength: 100, example: 'ada'},
    password: {type: 'string', maxLength: 200, example: 'ada-manager'},
  },
};

/** Signs in over REST; over the socket it is the event `login`, with the same two services. */
export class SessionController {
  constructor(
    @inject(LiveEntitiesBindings.LOGIN_SERVICE) private readonly logins: LoginService,
    @inject(LiveEntitiesBindings.TOKEN_SERVICE) private readonly tokens: TokenService,
  ) {}

  @post('/login', {
    responses: {
      200: {
        description: 'The token of the session, and who has signed in',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {token: {type: 'string'}, user: {type: 'object'}},
            },
          },
        },
      },
      401: {description: 'The name or the password is wrong'},
    },
  })
  async login(
    @requestBody({required: true, content: {'application/json': {schema: CREDENTIALS}}})
    {username, password}: Credentials,
  ): Promise<Session> {
    const {[securityId]: _, ...user} = await this.logins.login({username, password});
    return {user, token: await this.tokens.generateToken({...user, [securityId]: String(user.id)})};
  }
}
