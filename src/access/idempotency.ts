// A POST with an Idempotency-Key happens once in 24 h. The row that says so commits with the change itself, so a crash
// leaves both or neither; an advisory lock tells a request in flight, without anybody waiting for it.
import { createParamDecorator, Injectable, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { IdKind } from '../common/ids.js';
import { canonicalJson } from '../common/canonical-json.js';
import { SigningKeys } from '../vault/signing-keys.js';
import type { Transaction } from '../database/with-scope.js';

/** A POST as it came: what makes another one the same. */
export interface IdempotentRequest {
  /** uuid of the API key; keys of different callers never meet. */
  callerKeyId: string;
  /** Null: the caller sent none, and every request is a new one. */
  key: string | null;
  /** Method and path. */
  target: string;
  /** Canonical JSON; empty when there is none. */
  body: string;
}

/** What a request made or changed. */
export interface Outcome {
  status: number;
  kind: IdKind;
  id: string;
  /** Of several objects: how many. */
  count?: number;
}

type Known = Pick<Outcome, 'id' | 'status' | 'count'> & { repeated: boolean };

const HEADER = 'idempotency-key';
const SANE = /^[\x20-\x7e]{1,255}$/;

/** Parameter decorator: the {@link IdempotentRequest} of this request. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): IdempotentRequest => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { caller, body } = request;
  if (caller === null) throw new AppError('unauthenticated', 'this route needs an API key');
  return {
    callerKeyId: caller.keyId,
    key: keyOf(request.headers[HEADER]),
    target: `${request.method} ${request.url}`,
    body: body === undefined ? '' : canonicalJson(body),
  };
});

function keyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && SANE.test(header)) return header;
  const detail = 'must be 1 to 255 printable ASCII characters';
  throw new AppError('invalid_request', `Idempotency-Key ${detail}`, {
    errors: [{ parameter: 'Idempotency-Key', detail }],
  });
}

/** An attempt with its key and body hashed under a key of ours: bodies may hold numbers that could be guessed. */
interface Hashed {
  callerKeyId: string;
  keyHash: Buffer;
  requestHash: Buffer;
}

const LOCK = 'select pg_try_advisory_xact_lock($1::bigint) as free';
const FIND = `
select request_hash, status, object_id, object_count from idempotency_keys
where api_key_id = $1 and key_hash = $2 and created_at > now() - interval '24 hours'`;
const KEEP = `
insert into idempotency_keys (api_key_id, key_hash, request_hash, status, object_kind, object_id, object_count)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict on constraint idempotency_keys_pkey do update
set request_hash = $3, status = $4, object_kind = $5, object_id = $6, object_count = $7, created_at = now()`;

@Injectable()
export class Idempotency {
  constructor(private readonly keys: SigningKeys) {}

  /**
   * Prepares an attempt outside of the transaction, since this may ask the keystore. The function that it gives runs
   * `work` within `tx`, or says what the first request did. It throws `idempotency_mismatch` (other body or target) and
   * `idempotency_in_flight`.
   */
  async prepare(attempt: IdempotentRequest): Promise<Once> {
    const { callerKeyId, key } = attempt;
    if (key === null) return async (_, work) => ({ ...(await work()), repeated: false });
    const hashed = {
      callerKeyId,
      keyHash: await this.keys.sign('idempotency', JSON.stringify([callerKeyId, key])),
      requestHash: await this.keys.sign('idempotency', JSON.stringify([attempt.target, attempt.body])),
    };
    return (tx, work) => once(tx, hashed, work);
  }
}

export type Once = (tx: Transaction, work: () => Promise<Outcome>) => Promise<Known>;

async function once(tx: Transaction, hashed: Hashed, work: () => Promise<Outcome>): Promise<Known> {
  const owner = [hashed.callerKeyId, hashed.keyHash];
  // Two statements: the second sees what was committed before the lock was had.
  const [[lock], [known]] = await Promise.all([
    tx.query<{ free: boolean }>({ name: 'once_lock', text: LOCK, values: [hashed.keyHash.readBigInt64BE()] }),
    tx.query<{ request_hash: Buffer; status: number; object_id: string; object_count: number | null }>({
      name: 'once_find',
      text: FIND,
      values: owner,
    }),
  ]);
  if (known !== undefined) {
    if (!known.request_hash.equals(hashed.requestHash)) {
      throw new AppError('idempotency_mismatch', 'this Idempotency-Key was used for another request');
    }
    const { object_id: id, status, object_count: count } = known;
    return { id, status, repeated: true, ...(count !== null && { count }) };
  }
  if (lock?.free !== true) {
    const extras = { headers: { 'retry-after': '1' } };
    throw new AppError('idempotency_in_flight', 'the first request with this Idempotency-Key is under way', extras);
  }
  const outcome = await work();
  const values = [...owner, hashed.requestHash, outcome.status, outcome.kind, outcome.id, outcome.count ?? null];
  await tx.query({ name: 'once_keep', text: KEEP, values });
  const { id, status, count } = outcome;
  return { id, status, repeated: false, ...(count !== undefined && { count }) };
}
