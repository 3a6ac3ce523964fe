import {Application} from '@loopback/core';
import {LiveEntitiesBindings} from 'loopback4-live-entities';

export function configure(application: Application): void {
  application.configure(LiveEntitiesBindings.CRYPTO).to({
    keys: [{id: 'k2', secret: 'a secret of enough bytes, kept elsewhere'}],
    current: 'k2',
    algorithm: 'aes-256-gcm',
    readPlaintext: false,
    onDecryptFailure: 'throw',
  });
  application.configure(LiveEntitiesBindings.COMPONENT).to({
    mixins: {AuditFieldsMixin: true, CryptoMixin: true, VersionMixin: false},
    errors: 'oe',
  });
}
