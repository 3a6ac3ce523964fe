import {
  LiveClient,
  type LiveClientOptions,
  type LiveStatus,
  type StatusDetail,
} from '../../client';

interface Live {
  readonly status: LiveStatus;
  on(event: 'change', listener: () => void): () => void;
  on(event: 'status', listener: (status: LiveStatus, detail: StatusDetail) => void): () => void;
}

/** A client that comes back at once. */
export function givenClient(url: string, options: LiveClientOptions = {}): LiveClient {
  return new LiveClient(url, {
    timeout: 5_000,
    reconnectionDelay: 5,
    reconnectionDelayMax: 20,
    ...options,
  });
}

/** Resolves once the condition holds, which is looked at after each change and each status. */
export function until(live: Live, holds: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (!holds()) return;
      for (const stop of stops) stop();
      resolve();
    };
    const stops = [live.on('change', look), live.on('status', look)];
    look();
  });
}

/** Resolves with the arguments of the next event. */
export function next<A extends unknown[]>(
  subscribe: (listener: (...args: A) => void) => () => void,
): Promise<A> {
  return new Promise(resolve => {
    const stop = subscribe((...args) => {
      stop();
      resolve(args);
    });
  });
}
