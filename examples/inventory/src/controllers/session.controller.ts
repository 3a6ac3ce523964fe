import {inject} from '@loopback/core';
import {post, type Request, requestBody, RestBindings, type SchemaObject} from '@loopback/rest';
import {LiveEntitiesBindings, type LiveSessions, type SessionPass} from 'loopback4-live-entities';

interface Credentials {
  readonly username: string;
  readonly password: string;
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

/** Signs in over REST; over the socket it is the event `login`, with the same service. */
export class SessionController {
  constructor(
    @inject(LiveEntitiesBindings.SESSIONS) private readonly sessions: LiveSessions,
    @inject(RestBindings.Http.REQUEST) private readonly request: Request,
  ) {}

  @post('/login', {
    responses: {
      200: {
        description: 'The token of the session, and who has signed in',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                token: {type: 'string'},
                user: {type: 'object'},
                expiresAt: {type: 'number'},
              },
            },
          },
        },
      },
      401: {description: 'The name or the password is wrong'},
      429: {description: 'Too many failed attempts'},
    },
  })
  async login(
    @requestBody({required: true, content: {'application/json': {schema: CREDENTIALS}}})
    {username, password}: Credentials,
  ): Promise<SessionPass> {
    const address = this.request.ip ?? '';
    return this.sessions.login({username, password}, {address});
  }
}
