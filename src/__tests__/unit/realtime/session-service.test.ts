import assert from 'node:assert/strict';
import {Application} from '@loopback/core';
import {securityId, type UserProfile} from '@loopback/security';
import {
  SessionService,
  type Session,
  type SignedIn,
} from '../../../components/realtime/session.service';
import {LiveEntitiesBindings} from '../../../keys';

describe('the sessions of a process', () => {
  it('are judged by the last refresh, whichever answer comes first', async () => {
    const {service, session, answers} = await givenSession('admin');
    const first = service.refresh();
    await turns();
    const second = service.refresh();
    await turns();
    assert.equal(answers.length, 2);
    answers[1]('clerk');
    await turns();
    assert.equal(session.role, 'clerk');
    // Who was asked before the change says what was before it.
    answers[0]('admin');
    await turns();
    assert.equal(session.role, 'clerk', 'not what was true before');
    assert.equal(answers.length, 3, 'asked again');
    answers[2]('clerk');
    await Promise.all([first, second]);
    assert.equal(session.role, 'clerk');
  });

  it('end when they are revoked while they are judged', async () => {
    const {service, session, answers} = await givenSession('admin');
    const refreshed = service.refresh();
    await turns();
    service.revoke({userId: 'ada'});
    answers[0]('admin');
    await refreshed;
    assert.equal(session.signedIn, undefined);
    assert.equal(session.ends, 1);
  });
});

/** One connection of Ada, whose role is what the test answers. */
async function givenSession(role: string) {
  const answers: ((role: string) => void)[] = [];
  const application = new Application();
  application.bind(LiveEntitiesBindings.LOGIN_SERVICE).to({
    login: async () => ada(role),
    current: () => new Promise(resolve => answers.push(now => resolve(ada(now)))),
  });
  application.bind(LiveEntitiesBindings.TOKEN_SERVICE).to({
    generateToken: async () => 'token',
    verifyToken: async () => ada(role),
  });
  const service = new SessionService(application);
  const signedIn = await service.signIn({username: 'ada'}, {address: 'x'});
  const session = new Connected(signedIn);
  service.watch(session);
  return {service, session, answers};
}

class Connected implements Session {
  readonly request = {headers: {}} as never;
  ends = 0;

  constructor(public signedIn: SignedIn | undefined) {}

  get role(): unknown {
    return this.signedIn?.principal.role;
  }

  end(): void {
    this.signedIn = undefined;
    this.ends++;
  }

  adopt(signedIn: SignedIn): void {
    this.signedIn = signedIn;
  }
}

function ada(role: string): UserProfile {
  return {[securityId]: 'ada', id: 'ada', role};
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
}
