import type {JugglerProperty} from './juggler';

/** What PostgreSQL answers as it was given, whatever it was. */
const VERBATIM = /^(text|(varchar|character varying) *(\(\d+\))?)$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const WHOLE = /^(smallint|integer|bigint|int\d?|serial|smallserial|bigserial)\b/i;

/** Whether a PostgreSQL column of the property takes two spellings of a value for two values. */
export function comparesExactly({type, postgresql}: JugglerProperty): boolean {
  const dataType: string | undefined = postgresql?.dataType;
  if (type === String) return dataType === undefined || VERBATIM.test(dataType);
  if (type === Number) return !/^(real|float4|numeric|decimal)\b/i.test(dataType ?? '');
  if (type === Date) return dataType === undefined || /^timestamp(tz)?( with|$)/i.test(dataType);
  return true;
}

export function isUuid({postgresql}: JugglerProperty): boolean {
  return /^uuid\b/i.test(postgresql?.dataType ?? '');
}

/** Whether PostgreSQL may answer a value in another spelling than it was given. */
export function mayBeRespelt(property: JugglerProperty, value: unknown): boolean {
  const dataType: string = property.postgresql?.dataType ?? '';
  if (isUuid(property)) return typeof value !== 'string' || !UUID.test(value);
  if (WHOLE.test(dataType) && property.type === Number) return false;
  return !comparesExactly(property);
}
