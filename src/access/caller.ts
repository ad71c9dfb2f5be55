// The caller of a request, known from its API key before the body is read.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { ClientScope } from '../database/with-scope.js';
import type { Actor } from '../journal/append.js';
import type { Right, Role } from './rights.js';
import type { Source } from './source.js';

/** What the database says about a key; the same for every request that uses it. */
export interface KnownCaller {
  /** uuid */
  keyId: string;
  /** The public id of the key, computed once per look-up. */
  keyName: string;
  role: Role;
  /** Client uuids that the key may see; pass it to withScope(). */
  clients: ClientScope;
  rights: ReadonlySet<Right>;
  /** Hash of the secret that the request sent. */
  secretHash: Buffer;
  /** The key awaits approval by a second admin and may not do anything yet. */
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

/** Parameter decorator: the {@link Caller} of this request. Throws `unauthenticated` on public routes. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === null) throw new AppError('unauthenticated', 'this route needs an API key');
  return caller;
});

/** The caller as an actor of journal entries. */
export const actorOf = (caller: Caller): Actor => ({ type: 'key', id: caller.keyName });

/** The caller's client ids for SQL, null: all. Use it as `$1::uuid[] is null or client_id = any($1::uuid[])`. */
export const clientFilterOf = ({ clients }: Caller): readonly string[] | null => (clients === 'all' ? null : clients);

export const mayAccess = (caller: Caller, clientId: string): boolean =>
  caller.clients === 'all' || caller.clients.includes(clientId);
