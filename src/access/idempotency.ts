// A POST with an Idempotency-Key takes effect once in 24 h. Its row commits together with the change, so a crash leaves both
// or neither. An advisory lock, which nobody waits for, detects a first request that is still running.
import { createParamDecorator, Injectable, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import type { IdKind } from '../common/ids.js';
import { canonicalJson } from '../common/canonical-json.js';
import { SigningKeys } from '../vault/signing-keys.js';
import type { Transaction } from '../database/with-scope.js';

/** What identifies a repeated POST. */
export interface IdempotentRequest {
  /** uuid of the caller's API key: idempotency keys of different callers are independent. */
  callerKeyId: string;
  /** Null: the caller sent none, so every request is a new one. */
  key: string | null;
  /** Method and path. */
  target: string;
  /** Canonical JSON; empty when there is none. */
  body: string;
}

/** The object that a request created or changed. */
export interface Outcome {
  status: number;
  kind: IdKind;
  id: string;
  /** How many, if the request affects several objects. */
  count?: number;
}

type RecordedOutcome = Pick<Outcome, 'id' | 'status' | 'count'> & { repeated: boolean };

const HEADER = 'idempotency-key';
const VALID_KEY = /^[\x20-\x7e]{1,255}$/;

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
  if (typeof header === 'string' && VALID_KEY.test(header)) return header;
  const detail = 'must be 1 to 255 printable ASCII characters';
  throw new AppError('invalid_request', `Idempotency-Key ${detail}`, {
    errors: [{ parameter: 'Idempotency-Key', detail }],
  });
}

/** A request with its key and body as keyed hashes: from a plain hash, a phone number in the body could be guessed. */
interface HashedRequest {
  callerKeyId: string;
  keyHash: Buffer;
  requestHash: Buffer;
}

const LOCK = 'select pg_try_advisory_xact_lock($1::bigint) as free';
const FIND = `
select request_hash, status, object_id, object_count from idempotency_keys
where api_key_id = $1 and key_hash = $2 and created_at > now() - interval '24 hours'`;
const SAVE = `
insert into idempotency_keys (api_key_id, key_hash, request_hash, status, object_kind, object_id, object_count)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict on constraint idempotency_keys_pkey do update
set request_hash = $3, status = $4, object_kind = $5, object_id = $6, object_count = $7, created_at = now()`;

@Injectable()
export class Idempotency {
  constructor(private readonly keys: SigningKeys) {}

  /**
   * Hashes the request; call it outside the transaction, since it may ask the keystore. The returned function runs `work`
   * within `tx`, or returns the outcome of the first request. It throws `idempotency_mismatch` (other body or target) and
   * `idempotency_in_flight`.
   */
  async prepare(request: IdempotentRequest): Promise<Once> {
    const { callerKeyId, key } = request;
    if (key === null) return async (_, work) => ({ ...(await work()), repeated: false });
    const hashed = {
      callerKeyId,
      keyHash: await this.keys.sign('idempotency', JSON.stringify([callerKeyId, key])),
      requestHash: await this.keys.sign('idempotency', JSON.stringify([request.target, request.body])),
    };
    return (tx, work) => once(tx, hashed, work);
  }
}

export type Once = (tx: Transaction, work: () => Promise<Outcome>) => Promise<RecordedOutcome>;

async function once(tx: Transaction, hashed: HashedRequest, work: () => Promise<Outcome>): Promise<RecordedOutcome> {
  const owner = [hashed.callerKeyId, hashed.keyHash];
  // Two statements: the second sees what was committed before the lock was acquired.
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
    throw new AppError('idempotency_in_flight', 'the first request with this Idempotency-Key is still running', extras);
  }
  const outcome = await work();
  const values = [...owner, hashed.requestHash, outcome.status, outcome.kind, outcome.id, outcome.count ?? null];
  await tx.query({ name: 'once_save', text: SAVE, values });
  const { id, status, count } = outcome;
  return { id, status, repeated: false, ...(count !== undefined && { count }) };
}
