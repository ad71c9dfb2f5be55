// Who calls: known from the key before anything else of a request is read.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { ClientScope } from '../database/with-scope.js';
import type { Actor } from '../journal/append.js';
import type { Right, Role } from './rights.js';
import type { Source } from './source.js';

/** A key as the database knows it: the same for every request that comes with it. */
export interface KnownCaller {
  /** uuid */
  keyId: string;
  /** The same as the API, the journal and logs name it; made once, not at every request. */
  keyName: string;
  role: Role;
  /** Client uuids that the key may see; pass it to withScope(). */
  clients: ClientScope;
  rights: ReadonlySet<Right>;
  /** Of the secret that the request came with. */
  secretHash: Buffer;
  /** The key waits for a second admin: nothing is open to it. */
  isAwaitingApproval: boolean;
}

export interface Caller extends KnownCaller {
  /** Where this request came from. */
  source: Source;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null;
  }
}

/** Parameter decorator: the {@link Caller} of this request. Public routes have none. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === null) throw new AppError('unauthenticated', 'this route needs an API key');
  return caller;
});

/** The caller as the journal names it. */
export const actorOf = (caller: Caller): Actor => ({ type: 'key', id: caller.keyName });

/** The caller's clients as a statement's predicate takes them: `$1::uuid[] is null or client_id = any($1::uuid[])`. */
export const reachOf = ({ clients }: Caller): readonly string[] | null => (clients === 'all' ? null : clients);

export const mayAccess = (caller: Caller, clientId: string): boolean =>
  caller.clients === 'all' || caller.clients.includes(clientId);
