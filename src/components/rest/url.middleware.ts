import {injectable, type Provider} from '@loopback/core';
import {asMiddleware, HttpErrors, type Middleware, RestMiddlewareGroups} from '@loopback/rest';

/**
 * Lets the router see only what it can read. It fails on a path that is no URL, and takes an id
 * such as `constructor` for a property of its own objects: of that one a letter is written as its
 * code, which means the same.
 */
@injectable(
  asMiddleware({
    group: 'live-entities.url',
    downstreamGroups: [RestMiddlewareGroups.FIND_ROUTE],
  }),
)
export class UrlMiddlewareProvider implements Provider<Middleware> {
  value(): Middleware {
    return (context, next) => {
      const {request} = context;
      const [path, ...query] = request.url.split('?');
      request.url = [path.split('/').map(readable).join('/'), ...query].join('?');
      return next();
    };
  }
}

function readable(segment: string): string {
  if (segment === '') return segment;
  const isOwn = nameIn(segment) === segment && segment in {};
  if (isOwn) return `%${segment.charCodeAt(0).toString(16)}${segment.slice(1)}`;
  return segment;
}

function nameIn(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const message = 'The path is no URL: its percent signs are not followed by UTF-8.';
    throw Object.assign(new HttpErrors.BadRequest(message), {code: 'INVALID_URL'});
  }
}
