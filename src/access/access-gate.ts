// Runs before a request's body is read: whose key, may it come here, not too often.
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

  /** Fastify's onRequest hook. Outside `/v1` everything is public; in it, what declares nothing is closed. */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { url, config } = request.routeOptions;
    // No pattern: no such route, which the filter answers.
    if (url === undefined || !url.startsWith('/v1/')) return;
    const access = routeAccess(config);
    if (access?.kind === 'public') return;
    const caller = await this.authentication.of(request);
    request.caller = caller;
    reply.headers(await this.limit.take(caller.keyId));
    this.usage.used(caller);
    if (caller.isAwaitingApproval) throw new AppError('forbidden', 'this key waits for the approval of a second admin');
    if (!isOpen(access, caller)) throw forbidden(caller);
  }
}

const isOpen = (access: RouteAccess | undefined, { rights }: Caller): boolean =>
  access?.kind === 'key' || (access?.kind === 'rights' && access.anyOf.some((right) => rights.has(right)));

const forbidden = ({ role }: Caller): AppError =>
  new AppError('forbidden', `this route is not open to the role ${role} with the scopes of this key`);
