import type {Context} from '@loopback/core';
import {SecurityBindings} from '@loopback/security';
import {LiveEntitiesBindings} from '../keys';
import type {WriteContext} from './behaviour';
import type {ChangePublisher} from './change-publisher';
import {createPropertyCodec, type PropertyCodec} from './crypto/codec';
import {cryptoSettings, type CryptoConfig, type CryptoSettings} from './crypto/config';
import type {KeyProvider} from './crypto/keys';
import {CryptoNotConfiguredError} from './errors';
import type {LiveEntity} from './live-entity';
import {userName, type LiveOptions} from './options';

/** Recorded as the writer when nobody is signed in. */
export const SYSTEM_USER = 'system';

/** What a repository takes from the application around it; everything in it is optional. */
export class Surroundings {
  private publisherOnce?: Promise<ChangePublisher | undefined>;
  private codecOnce?: Promise<PropertyCodec | undefined>;

  constructor(
    private readonly entity: LiveEntity,
    private readonly context: Context | undefined,
  ) {}

  async writeContext(options: LiveOptions | undefined): Promise<WriteContext> {
    const [actor, now] = await Promise.all([this.actor(options), this.now()]);
    return {entityName: this.entity.name, actor, now, options: options ?? {}};
  }

  publisher(): Promise<ChangePublisher | undefined> {
    this.publisherOnce ??= this.optional(LiveEntitiesBindings.CHANGE_PUBLISHER.key);
    return this.publisherOnce;
  }

  /** The codec of the entity's encrypted properties, if it has any. */
  codec(): Promise<PropertyCodec | undefined> {
    this.codecOnce ??= this.makeCodec();
    return this.codecOnce;
  }

  /** Finds out whether there is a key, before the first row needs it. */
  async ready(): Promise<void> {
    await (await this.codec())?.ready();
  }

  private async actor(options: LiveOptions | undefined): Promise<string> {
    const named = userName(options?.remoteUser);
    if (named) return named;
    const user = await this.optional<Parameters<typeof userName>[0]>(SecurityBindings.USER.key);
    return userName(user) ?? SYSTEM_USER;
  }

  private async now(): Promise<Date> {
    const clock = await this.optional<() => Date>(LiveEntitiesBindings.CLOCK.key);
    return clock ? clock() : new Date();
  }

  private async makeCodec(): Promise<PropertyCodec | undefined> {
    if (Object.keys(this.entity.encrypted).length === 0) return undefined;
    const config = await this.context?.getConfig<CryptoConfig>(LiveEntitiesBindings.CRYPTO);
    const provider = await this.optional<KeyProvider>(LiveEntitiesBindings.KEY_PROVIDER.key);
    const source = provider ?? config;
    if (!source) throw new CryptoNotConfiguredError(this.entity.name);
    return codecOf(this.entity, source, () => cryptoSettings(config ?? {}, provider));
  }

  private async optional<T>(key: string): Promise<T | undefined> {
    // Most of what could be bound is not, and to find that out is much cheaper than to resolve it.
    return this.context?.isBound(key) ? this.context.get<T>(key, {optional: true}) : undefined;
  }
}

/** Keys are derived once for each configuration, codecs made once for each entity under it. */
const codecs = new WeakMap<
  object,
  {settings: CryptoSettings; byEntity: Map<LiveEntity, PropertyCodec>}
>();

function codecOf(entity: LiveEntity, source: object, settings: () => CryptoSettings) {
  let known = codecs.get(source);
  if (!known) codecs.set(source, (known = {settings: settings(), byEntity: new Map()}));
  let codec = known.byEntity.get(entity);
  if (!codec) {
    codec = createPropertyCodec({
      ...known.settings,
      entityName: entity.name,
      properties: entity.encrypted as Parameters<typeof createPropertyCodec>[0]['properties'],
      bindId: entity.bindsIds,
    });
    known.byEntity.set(entity, codec);
  }
  return codec;
}
