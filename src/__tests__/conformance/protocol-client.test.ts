import type {LiveClient} from '../../client';
import type {LiveRef} from '../../protocol/messages';
import {givenClient} from '../support/client';
import {MinimalClient, MinimalSubscription} from '../support/minimal-client';
import {
  protocolClientSuite,
  type ClientUnderTest,
  type Shown,
  type SubscriptionUnderTest,
} from './protocol-client.suite';

describe("the package's client, held to the protocol", () =>
  protocolClientSuite({
    connect(url, token): ClientUnderTest {
      const live = givenClient(url, {token});
      return {
        subscribe: ref => watched(live, ref),
        loggedOut: listener => live.on('logout', ({code}) => listener(code)),
        close: () => live.close(),
      };
    },
  }));

describe('a client written from the document alone, held to the protocol', () =>
  protocolClientSuite({
    connect(url, token): ClientUnderTest {
      const client = new MinimalClient(url, token);
      return {
        subscribe: ref => outlined(new MinimalSubscription(client, ref)),
        loggedOut: listener => void (client.onLogout = listener),
        close: () => client.socket.disconnect(),
      };
    },
  }));

function watched(live: LiveClient, ref: LiveRef): SubscriptionUnderTest {
  if ('id' in ref) throw new Error('the suite watches pages');
  const collection = live.collection<{id: string}>(ref as never);
  let code: string | undefined;
  // The reason is on the status, too; nobody waits for the first page here.
  collection.ready.catch(() => {});
  collection.on('status', (_, {error}) => void (code = error?.code));
  return {
    shown: () => ({
      page: {rows: collection.value, meta: collection.meta},
      status: collection.status as Shown['status'],
      code,
    }),
    changed: listener => {
      collection.on('change', listener);
      collection.on('status', listener);
    },
    close: () => collection.close(),
  };
}

function outlined(subscription: MinimalSubscription): SubscriptionUnderTest {
  return {
    shown: () => ({
      page: subscription.page && {rows: subscription.page.rows, meta: subscription.page.meta},
      status: subscription.status,
      code: subscription.fault?.code,
    }),
    changed: listener => void subscription.listeners.push(listener),
    close: () => subscription.close(),
  };
}
