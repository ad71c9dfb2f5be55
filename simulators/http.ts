// The HTTP plumbing under the simulated API: routes by method and pattern, JSON, Retell's error bodies, resets.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** A request as a route sees it. */
export interface ApiRequest {
  url: URL;
  params: Record<string, string>;
  authorization: string | undefined;
  /** The body as JSON; undefined without one. Throws {@link ApiError} 400 when it does not parse. */
  json: () => unknown;
}

/** An answer. `cutAfterBytes` breaks the connection in the middle of the body; `reset` instead of any answer. */
export interface ApiReply {
  status: number;
  body?: unknown;
  raw?: Buffer;
  headers?: Record<string, string>;
  cutAfterBytes?: number;
  reset?: boolean;
}

/** A refusal, answered as `{"status":"error","message":…}`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export interface Route {
  method: string;
  pattern: RegExp;
  handle: (request: ApiRequest) => ApiReply | Promise<ApiReply>;
}

/** One request, in the order of arrival; `status` is 0 until it is answered, and stays 0 when it was cut off. */
export interface LoggedRequest {
  method: string;
  path: string;
  status: number;
  atMs: number;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > BODY_LIMIT_BYTES) throw new ApiError(413, 'body is too large');
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ApiError(400, 'body is not JSON');
    throw cause;
  }
}

/** A mistake of the simulator itself goes to stderr, so that it is not taken for a fault of the provider. */
function refusal(error: unknown): ApiReply {
  if (!(error instanceof ApiError)) process.stderr.write(`${error instanceof Error ? error.stack : 'unknown error'}\n`);
  const known = error instanceof ApiError ? error : new ApiError(500, 'internal error');
  return { status: known.status, body: { status: 'error', message: known.message }, headers: known.headers };
}

function write(response: ServerResponse, reply: ApiReply, isHead: boolean): void {
  const content = reply.raw ?? (reply.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(reply.body)));
  const type = reply.raw ? {} : { 'content-type': 'application/json; charset=utf-8' };
  const length = reply.status === 204 ? {} : { 'content-length': String(content.length) };
  response.writeHead(reply.status, { ...type, ...length, ...reply.headers });
  if (isHead) response.end();
  else if (reply.cutAfterBytes === undefined) response.end(content);
  else response.write(content.subarray(0, reply.cutAfterBytes), () => response.socket?.resetAndDestroy());
}

async function answer(routes: readonly Route[], request: IncomingMessage, body: string): Promise<ApiReply> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(url.pathname) : null;
    if (!match) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
    return route.handle({ url, params, authorization: request.headers.authorization, json: () => parseJson(body) });
  }
  throw new ApiError(404, 'path not found');
}

/**
 * An HTTP server over routes, tried in order. `log` is told of each request at arrival and returns its entry, whose
 * status is filled in; `isCutOff` is asked first and may have the connection reset without an answer.
 */
export function apiServer(
  routes: readonly Route[],
  log: (method: string, path: string) => LoggedRequest,
  isCutOff: () => boolean,
): Server {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const entry = log(request.method ?? 'GET', request.url ?? '/');
    if (isCutOff()) return void request.socket.resetAndDestroy();
    const reply = await readBody(request)
      .then((body) => answer(routes, request, body))
      .catch(refusal);
    if (reply.reset) return void request.socket.resetAndDestroy();
    entry.status = reply.status;
    write(response, reply, request.method === 'HEAD');
  };
  return createServer((request, response) => void serve(request, response));
}
