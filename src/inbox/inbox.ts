// Stores facts durably and once, each with its identity row, before their receipt is confirmed.
import { Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { newUuid } from '../common/ids.js';
import { IngestDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { factReceived } from '../observability/metrics.js';
import { traced, traceparent } from '../observability/tracing.js';
import type { BlindIndexHasher } from '../vault/blind-index-hasher.js';
import { seal } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import { identityHash, suppressionHash } from './identity-hashes.js';
import { factPurpose, type FactSource, type NewFact } from './inbox-fact.js';
import { laneOf, type Lane } from './lanes.js';
import { factHash } from './receipts.js';

interface Row {
  id: string;
  accountId: string;
  identityHash: Buffer | null;
  /** Id and client of a new conversation, if this fact is its first. */
  conversationId: string | null;
  clientId: string | null;
  suppressionHash: Buffer | null;
  source: FactSource;
  kind: string;
  hash: Buffer;
  receivedAt: Date;
  keyDay: string;
  sealed: Buffer;
  lane: Lane;
  /** W3C traceparent; null: not traced. */
  traceparent: string | null;
}

/**
 * One statement per batch. Rows are sorted, so that two processes never deadlock. All sealed bodies are one binary parameter,
 * split by the offsets in $11: an array of them would be sent as text, twice as long.
 */
const APPEND = `
with incoming as (
  select distinct on (account_id, hash) * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[],
    $6::text[], $7::text[], $8::bytea[], $9::timestamptz[], $10::date[], $11::int[], $12::int[], $13::text[], $15::text[],
    $16::bytea[])
    as t(id, account_id, identity_hash, conversation_id, client_id, source, kind, hash, received_at, key_day, sealed_from,
      sealed_bytes, traceparent, lane, suppression_hash)
  order by account_id, hash, received_at
), receipts as (
  insert into fact_receipts (provider_account_id, hash, received_at)
  select account_id, hash, received_at from incoming order by account_id, hash
  on conflict do nothing returning provider_account_id, hash
), identities as (
  insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash, created_at)
  select distinct on (account_id, identity_hash) conversation_id, client_id, account_id, identity_hash, suppression_hash,
    received_at
  from incoming where conversation_id is not null order by account_id, identity_hash, received_at
  on conflict do nothing
)
insert into inbox (id, provider_account_id, identity_hash, source, kind, hash, received_at, key_day, sealed, traceparent, lane, state)
select i.id, i.account_id, i.identity_hash, i.source, i.kind, i.hash, i.received_at, i.key_day,
  substr($14::bytea, i.sealed_from, i.sealed_bytes), i.traceparent, i.lane,
  case when i.identity_hash is null then 'unknown' else 'pending' end
from incoming i join receipts r on r.provider_account_id = i.account_id and r.hash = i.hash
returning id`;

/** PostgreSQL's limit for a parameter is 1 GB, and larger batches would not save more syncs. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Larger bodies have batches of their own, so that small ones never wait for them. */
const LARGE_BYTES = 256 * 1024;

@Injectable()
export class Inbox {
  private readonly small: Batcher<Row, boolean>;
  private readonly large: Batcher<Row, boolean>;

  constructor(
    private readonly database: IngestDatabase,
    private readonly vault: VaultService,
    private readonly notifier: Notifier,
  ) {
    const newBatcher = (): Batcher<Row, boolean> =>
      new Batcher((rows) => this.insert(rows), {
        maxItems: 64,
        concurrency: 1,
        gatherMs: 1,
        maxWeight: MAX_BATCH_BYTES,
        weightOf: ({ sealed }) => sealed.length,
      });
    [this.small, this.large] = [newBatcher(), newBatcher()];
  }

  /** Resolves once the fact is on disk: true if it is new, false if the same bytes were received before. */
  async append(fact: NewFact): Promise<boolean> {
    const stored = await traced('inbox append', { kind: 'producer' }, () => this.appendSealed(fact));
    const result = !stored ? 'duplicate' : fact.identity === null ? 'unknown' : 'stored';
    factReceived({ provider: fact.account.provider, source: fact.source, event: fact.kind, result });
    return stored;
  }

  private async appendSealed(fact: NewFact): Promise<boolean> {
    const { account } = fact;
    const receivedAt = new Date();
    const keyDay = receivedAt.toISOString().slice(0, 10);
    const owner = { providerAccountId: account.id, clientId: account.clientId };
    const [hasher, suppressionHasher, key] = await Promise.all([
      this.vault.identityHasher(owner),
      this.vault.suppressionHasher(),
      this.vault.inboxKey({ ...owner, day: keyDay }),
    ]);
    const id = newUuid();
    const row = identityRowOf(fact, { hasher, suppressionHasher });
    const { identityHash } = row;
    const sealed = seal(key, factPurpose(id), fact.body);
    const batcher = sealed.length > LARGE_BYTES ? this.large : this.small;
    return batcher.add({
      id,
      accountId: account.id,
      ...row,
      source: fact.source,
      kind: fact.kind,
      hash: factHash(hasher, { source: fact.source, identityHash, body: fact.body }),
      receivedAt,
      keyDay,
      sealed,
      lane: laneOf({ provider: account.provider, kind: fact.kind, bytes: sealed.length }),
      traceparent: traceparent(),
    });
  }

  private async insert(rows: Row[]): Promise<boolean[]> {
    const column = <Name extends keyof Row>(name: Name): Row[Name][] => rows.map((row) => row[name]);
    const values = [
      ...[column('id'), column('accountId'), column('identityHash'), column('conversationId'), column('clientId')],
      ...[column('source'), column('kind'), column('hash'), column('receivedAt'), column('keyDay')],
      ...[offsetsOf(rows), rows.map(({ sealed }) => sealed.length), column('traceparent')],
      ...[Buffer.concat(column('sealed')), column('lane'), column('suppressionHash')],
    ];
    const inserted = await this.database.once<{ id: string }>('all', { name: 'append', text: APPEND, values });
    if (inserted.length > 0) this.notifier.notify('colloquy_inbox');
    const ids = new Set(inserted.map(({ id }) => id));
    return rows.map(({ id }) => ids.has(id));
  }
}

/** The offset of each sealed body in their concatenation, from 1 as in substr(). */
function offsetsOf(rows: Row[]): number[] {
  let next = 1;
  return rows.map(({ sealed }) => {
    const from = next;
    next += sealed.length;
    return from;
  });
}

type IdentityRow = Pick<Row, 'identityHash' | 'conversationId' | 'clientId' | 'suppressionHash'>;

/** The conversation that a fact is about; with all columns of its identity row if this fact may be its first. */
function identityRowOf(
  { account, identity }: NewFact,
  { hasher, suppressionHasher }: Record<'hasher' | 'suppressionHasher', BlindIndexHasher>,
): IdentityRow {
  if (identity === null || 'hash' in identity) {
    return { identityHash: identity?.hash ?? null, conversationId: null, clientId: null, suppressionHash: null };
  }
  return {
    identityHash: identityHash(hasher, identity),
    conversationId: newUuid(),
    clientId: identity.clientId,
    suppressionHash: suppressionHash(suppressionHasher, { provider: account.provider, ...identity }),
  };
}
