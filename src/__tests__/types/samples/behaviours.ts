import {
  DefaultCrudRepository,
  DefaultTransactionalRepository,
  Entity,
  juggler,
  model,
  property,
} from '@loopback/repository';
import {
  audited,
  Audited,
  encrypted,
  historical,
  HistoryMixin,
  SoftDeletable,
  softDeletable,
  SoftDeleteMixin,
  versioned,
  Versioned,
} from 'loopback4-live-entities';

@model()
export class CardPayment extends Versioned(Audited(SoftDeletable(Entity))) {
  @property({id: true, type: 'string'}) id: string;
  @property({type: 'string', required: true, encrypt: true}) cardNo: string;
  @property({type: 'number', postgresql: {dataType: 'double precision'}}) amount: number;
}

@versioned() @audited() @softDeletable() @historical() @encrypted()
export class CardPaymentRepository extends DefaultTransactionalRepository<CardPayment, string> {
  constructor(dataSource: juggler.DataSource) {
    super(CardPayment, dataSource);
  }
}

/** The typed form has the added methods in its type. */
export class TypedRepository extends HistoryMixin(
  SoftDeleteMixin(DefaultCrudRepository<CardPayment, string>),
) {
  constructor(dataSource: juggler.DataSource) {
    super(CardPayment, dataSource);
  }
}

export async function everyMethod(repository: TypedRepository): Promise<void> {
  const payment: CardPayment = await repository.create({cardNo: '4111', amount: 1});
  const version: string | undefined = payment._version;
  await repository.updateById(payment.id, {amount: 2}, {version, reason: 'typo'});
  await repository.restoreById(payment.id, {remoteUser: 'ann'});
  await repository.restoreAll({amount: 2});
  await repository.purge({}, {olderThan: new Date()});
  const revisions = await repository.history(payment.id, {limit: 5});
  const {entity, _revision, _operation} = revisions[0];
  const amount: number = entity.amount;
  await repository.findAsOf(new Date(), {where: {amount}});
  await repository.findByIdAsOf(payment.id, new Date());
  await repository.diff(payment.id, _revision, 'current');
  if (_operation === 'delete') await repository.revertTo(payment.id, _revision, {version});
  await repository.pruneHistory({olderThan: new Date(), keepLast: 3});
  await repository.redactHistory(payment.id, ['cardNo']);
}

// @ts-expect-error a class that is no repository takes no behaviour
@versioned()
export class NoRepository {}
