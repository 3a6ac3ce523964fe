/** An answer of the REST API that is not a success. */
export class RestError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'RestError';
  }
}

export interface RestCall {
  readonly token?: string;
  readonly query?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Calls the REST API; objects in `query` and `body` travel as JSON. */
export async function rest<T>(method: string, path: string, call: RestCall = {}): Promise<T> {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    url.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const headers: Record<string, string> = {accept: 'application/json', ...call.headers};
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const response = await fetch(url, {method, headers, body}).catch(() => {
    throw new RestError(0, 'OFFLINE', 'The server cannot be reached.');
  });
  const answer = await readBody(response);
  if (!response.ok) throw errorOf(response, answer);
  return answer as T;
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.includes('json')) return undefined;
  return text ? JSON.parse(text) : undefined;
}

function errorOf(response: Response, answer: unknown): RestError {
  const {error} = (answer ?? {}) as {error?: {code?: string; message?: string}};
  const code = error?.code ?? (response.status >= 500 ? 'INTERNAL_ERROR' : `HTTP_${response.status}`);
  return new RestError(response.status, code, error?.message ?? response.statusText);
}
