// A minimal client of our own HTTP API, used by `npm run up`.
import { StartError } from '../start-error.js';

export interface OwnApi {
  /** All methods but `text` throw {@link StartError} with status and problem code unless the response is 2xx. */
  post(path: string, body: unknown, idempotencyKey: string): Promise<Record<string, unknown>>;
  patch(path: string, body: unknown): Promise<Record<string, unknown>>;
  /** Undefined for 404. */
  get(path: string): Promise<Record<string, unknown> | undefined>;
  /** The body as text; undefined if the response is not 2xx. */
  text(path: string): Promise<string | undefined>;
}

const TIMEOUT_MS = 15_000;

/** Calls the API at `baseUrl` with one key. */
export function ownApi(baseUrl: string, key: string): OwnApi {
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  const json = async (method: string, path: string, response: Response): Promise<Record<string, unknown>> => {
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.ok) return answer;
    const detail = [answer['code'], answer['detail']].filter((part) => typeof part === 'string').join(': ');
    throw new StartError(
      `Our own API answered ${method} ${path} with ${response.status}${detail === '' ? '' : ` (${detail})`}.`,
    );
  };
  return {
    post: async (path, body, idempotencyKey) =>
      await json('POST', path, await call('POST', path, body, { 'idempotency-key': idempotencyKey })),
    patch: async (path, body) => await json('PATCH', path, await call('PATCH', path, body)),
    get: async (path) => {
      const response = await call('GET', path);
      return response.status === 404 ? undefined : await json('GET', path, response);
    },
    text: async (path) => {
      const response = await call('GET', path);
      return response.ok ? await response.text() : undefined;
    },
  };
}
