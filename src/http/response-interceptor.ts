// Before a handler: refuses query parameters and bodies that its route does not declare. After it: status, ETag, 304 and Link.
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ApiResponse, isUnchanged } from './api-response.js';
import { AppError, type InputError } from '../common/errors.js';

/** Nest's numbers for kinds of parameters (RouteParamtypes). */
const REQUEST = '0';
const BODY = '3';
const QUERY = '4';

interface DeclaredInput {
  query: boolean;
  body: boolean;
}

export class ResponseInterceptor implements NestInterceptor {
  private readonly declared = new WeakMap<object, DeclaredInput>();

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    refuseUndeclared(request, this.declaredBy(context));
    return next.handle().pipe(map((result) => withHeaders(result, request, http.getResponse<FastifyReply>())));
  }

  private declaredBy(context: ExecutionContext): DeclaredInput {
    const handler = context.getHandler();
    const known = this.declared.get(handler);
    if (known !== undefined) return known;
    const args: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name);
    const kinds = Object.keys(args ?? {}).map((key) => key.split(':', 1)[0]);
    // A handler that takes the whole request checks it itself.
    const all = kinds.includes(REQUEST);
    const declared = { query: all || kinds.includes(QUERY), body: all || kinds.includes(BODY) };
    this.declared.set(handler, declared);
    return declared;
  }
}

function refuseUndeclared({ query, body }: FastifyRequest, declared: DeclaredInput): void {
  const detail = 'is unknown';
  const errors: InputError[] = [
    ...(declared.query ? [] : keysOf(query).map((parameter) => ({ parameter, detail }))),
    ...(declared.body ? [] : keysOf(body).map((key) => ({ pointer: `/${key}`, detail }))),
  ];
  if (errors.length === 0) return;
  throw new AppError('unknown_field', 'the request has unknown fields', { errors });
}

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : []);

function withHeaders(result: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  if (!(result instanceof ApiResponse)) return withLink(result, request, reply);
  const { status, etag, headers } = result.extras;
  if (status !== undefined) reply.code(status);
  if (headers !== undefined) reply.headers(headers);
  if (etag === undefined) return result.body;
  reply.header('etag', etag);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead || !isUnchanged(request.headers['if-none-match'], etag)) return result.body;
  reply.code(304);
  return undefined;
}

function withLink(result: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  const cursor = nextCursorOf(result);
  if (cursor === null) return result;
  const url = new URL(request.url, 'http://relative');
  url.searchParams.set('cursor', cursor);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
  return result;
}

const nextCursorOf = (result: unknown): string | null =>
  typeof result === 'object' && result !== null && 'next_cursor' in result && typeof result.next_cursor === 'string'
    ? result.next_cursor
    : null;
