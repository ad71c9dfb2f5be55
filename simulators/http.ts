// The HTTP plumbing under the simulated APIs: routes by method and pattern, JSON, error bodies, resets.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** The kind of a request; faults and counts are per operation. */
export type Operation = 'get' | 'list' | 'delete' | 'audio' | 'other';

/** A request, as passed to a route. */
export interface ApiRequest {
  url: URL;
  params: Record<string, string>;
  /** A header by its lower-case name. */
  header: (name: string) => string | undefined;
  /** The body as JSON; undefined without a body. Throws {@link ApiError} 400 when it is not JSON. */
  json: () => unknown;
}

/** A response. `cutAfterBytes` closes the connection in the middle of the body. */
export interface ApiReply {
  status: number;
  body?: unknown;
  raw?: Buffer;
  headers?: Record<string, string>;
  cutAfterBytes?: number;
}

/**
 * An error response; each provider has its own body format. `issues` lists the invalid inputs, where the provider does
 * so.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
    readonly issues?: unknown,
  ) {
    super(message);
  }
}

export interface Route {
  method: string;
  pattern: RegExp;
  handle: (request: ApiRequest) => ApiReply | Promise<ApiReply>;
}

/** Callbacks of the server. */
export interface ServerHooks {
  /** Called when a request arrives; the returned function is called with the response status, 0 when it was cut off. */
  arrived: (method: string, path: string) => (status: number) => void;
  /** The body of an error response. */
  errorBody: (error: ApiError) => unknown;
  /** Whether to cut off a request before it is read. */
  isCutOff: (path: string) => boolean;
  /** Whether an error closes the connection without a response. */
  isCut: (error: unknown) => boolean;
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

/** A bug in the simulator goes to stderr, so that it is not mistaken for a simulated fault. */
function refusal(error: unknown, errorBody: ServerHooks['errorBody']): ApiReply {
  if (!(error instanceof ApiError)) process.stderr.write(`${error instanceof Error ? error.stack : 'unknown error'}\n`);
  const known = error instanceof ApiError ? error : new ApiError(500, 'internal error');
  return { status: known.status, body: errorBody(known), headers: known.headers };
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
  const header = (name: string) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(url.pathname) : null;
    if (!match) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
    return route.handle({ url, params, header, json: () => parseJson(body) });
  }
  throw new ApiError(404, 'path not found');
}

/** An HTTP server that tries the routes in order. */
export function apiServer(routes: readonly Route[], hooks: ServerHooks): Server {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const answered = hooks.arrived(request.method ?? 'GET', path);
    if (hooks.isCutOff(path)) return void request.socket.resetAndDestroy();
    try {
      const reply = await answer(routes, request, await readBody(request));
      answered(reply.status);
      write(response, reply, request.method === 'HEAD');
    } catch (error) {
      if (hooks.isCut(error)) return void request.socket.resetAndDestroy();
      const reply = refusal(error, hooks.errorBody);
      answered(reply.status);
      write(response, reply, request.method === 'HEAD');
    }
  };
  return createServer((request, response) => void serve(request, response));
}
