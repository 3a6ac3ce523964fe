import type {Entity} from '@loopback/repository';

/** The properties that the model hides: they are never answered, compared or ordered by. */
export function hiddenProperties({definition}: typeof Entity): ReadonlySet<string> {
  const {properties, settings} = definition;
  const marked = Object.keys(properties).filter(name => properties[name].hidden);
  return new Set([...marked, ...((settings.hiddenProperties ?? []) as string[])]);
}
