import {
  CoreBindings,
  inject,
  lifeCycleObserver,
  type Application,
  type LifeCycleObserver,
} from '@loopback/core';
import {mayHaveBehaviours} from '../mixins/behaviours-of';

/** A repository of the behaviours' layer. */
interface WithSecrets {
  readonly surroundings?: {ready(): Promise<void>};
  readonly embeddings?: {check(): void};
}

/**
 * Refuses to start an application that is to encrypt and has no key, or embeds what cannot be
 * embedded, before it takes a request.
 */
@lifeCycleObserver('crypto-check')
export class CryptoCheckObserver implements LifeCycleObserver {
  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
  ) {}

  /** @throws CryptoNotConfiguredError, CryptoConfigurationError, EmbeddingError */
  async init(): Promise<void> {
    for (const {key, valueConstructor} of this.application.find('repositories.*')) {
      if (!valueConstructor || !mayHaveBehaviours(valueConstructor)) continue;
      const repository = await this.application.get<WithSecrets>(key);
      repository.embeddings?.check();
      await repository.surroundings?.ready();
    }
  }
}
