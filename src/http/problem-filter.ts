// Turns every error into a response.
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { asAppError, PROBLEM_CONTENT_TYPE, problemDocument } from './problem.js';
import { note } from './request-notes.js';
import { SECURITY_HEADERS } from './security-headers.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = asAppError(error);
    this.logServerError(problem, request);
    sendProblem(problem, request, http.getResponse<FastifyReply>());
  }

  private logServerError(error: AppError, request: FastifyRequest): void {
    if (error.status < 500) return;
    const fields = { request_id: request.id, method: request.method, route: request.routeOptions.url ?? null };
    const cause = error.code === 'internal' && error.cause !== undefined ? error.cause : error;
    this.log.error('request failed', { ...fields, code: error.code }, cause);
  }
}

/** Headers set for the response that failed; they do not apply to the problem document. */
const STALE_HEADERS = ['accept-ranges', 'content-length', 'content-range', 'etag', 'link'];

/** Sends a problem document. If the response has begun, closes the connection instead, so that it is not taken for complete. */
export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  note(request, { code: error.code });
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  for (const name of STALE_HEADERS) reply.removeHeader(name);
  if (error.status === 401 && error.code !== 'invalid_signature') reply.header('www-authenticate', 'Bearer');
  void reply
    .code(error.status)
    .headers({
      ...SECURITY_HEADERS,
      ...error.headers,
      'content-type': PROBLEM_CONTENT_TYPE,
      'x-request-id': request.id,
    })
    .send(JSON.stringify(problemDocument(error, request.id)));
}
