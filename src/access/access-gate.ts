// Checks every /v1 request before its body is read: authentication, rate limit, rights.
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import { Authentication } from './authentication.js';
import type { Caller } from './caller.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';
import { routeAccess, type RouteAccess } from './requires.js';

@Injectable()
export class AccessGate {
  constructor(
    private readonly authentication: Authentication,
    private readonly usage: KeyUsage,
    private readonly limit: RequestLimit,
  ) {}

  /** Fastify's onRequest hook. Routes outside `/v1` are public; a `/v1` route without a declaration is closed. */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { url, config } = request.routeOptions;
    // Without a URL pattern no route matched; the exception filter answers 404.
    if (url === undefined || !url.startsWith('/v1/')) return;
    const access = routeAccess(config);
    if (access?.kind === 'public') return;
    const caller = await this.authentication.authenticate(request);
    request.caller = caller;
    reply.headers(await this.limit.take(caller.keyId));
    this.usage.record(caller);
    if (caller.isAwaitingApproval) throw new AppError('forbidden', 'this key awaits approval by a second admin');
    if (!isOpen(access, caller)) throw forbidden(caller);
  }
}

const isOpen = (access: RouteAccess | undefined, { rights }: Caller): boolean =>
  access?.kind === 'key' || (access?.kind === 'rights' && access.anyOf.some((right) => rights.has(right)));

const forbidden = ({ role }: Caller): AppError =>
  new AppError('forbidden', `the role ${role} with the scopes of this key may not use this route`);
