// Runs before a request's body is read: whose key, may it come here, not too often.
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { Caller } from './caller.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';
import { routeAccess } from './requires.js';

@Injectable()
export class AccessGate {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly usage: KeyUsage,
    private readonly limit: RequestLimit,
  ) {}

  /** Fastify's onRequest hook. Outside `/v1` everything is public; in it, what declares nothing is closed. */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { url, config } = request.routeOptions;
    // No pattern: no such route, which the filter answers.
    if (url === undefined || !url.startsWith('/v1/')) return;
    const access = routeAccess(config);
    if (access?.kind === 'public') return;
    const caller = await this.keys.find(bearerOf(request.headers.authorization));
    request.caller = caller;
    reply.headers(await this.limit.take(caller.keyId));
    this.usage.used(caller.keyId);
    if (!access?.anyOf.some((right) => caller.rights.has(right))) throw forbidden(caller);
  }
}

function bearerOf(header: string | undefined): string {
  const token = /^Bearer +([^\s,]+) *$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw new AppError('unauthenticated', 'send Authorization: Bearer clq_…');
  return token;
}

const forbidden = ({ role }: Caller): AppError =>
  new AppError('forbidden', `this route is not open to the role ${role} with the scopes of this key`);
