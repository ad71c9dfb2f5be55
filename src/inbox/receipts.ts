// The ledger of what was accepted: keyed hashes of bytes. It outlives the inbox, and tells a fact that comes again.
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/with-scope.js';
import type { BlindIndexHasher } from '../vault/blind-index-hasher.js';
import type { FactSource } from './inbox-fact.js';

interface Said {
  source: FactSource;
  identityHash: Buffer | null;
  body: Buffer;
}

/** What a fact is known by. A workflow may say the same words of many conversations; a provider's bytes are its own. */
export function factHash(hasher: BlindIndexHasher, { source, identityHash, body }: Said): Buffer {
  const scope = source === 'workflow' ? (identityHash?.toString('hex') ?? '') : '';
  return hasher.hash('fact', source, scope, createHash('sha256').update(body).digest('hex'));
}

export interface Receipt {
  accountId: string;
  hash: Buffer;
  receivedAt: Date;
}

const WANTED = 'unnest($1::uuid[], $2::bytea[]) as w(account_id, hash)';
const KNOWN = `
select encode(hash, 'hex') as hash from ${WANTED} where exists (
  select from fact_receipts r where r.provider_account_id = w.account_id and r.hash = w.hash)`;
const ADD = `
insert into fact_receipts (provider_account_id, hash, received_at)
select account_id, hash, received_at from unnest($1::uuid[], $2::bytea[], $3::timestamptz[]) as w(account_id, hash, received_at)
order by account_id, hash`;

/** Hashes, in hex, of those that were accepted before. */
export async function knownReceipts(tx: Transaction, receipts: Receipt[]): Promise<Set<string>> {
  if (receipts.length === 0) return new Set();
  const values = [receipts.map(({ accountId }) => accountId), receipts.map(({ hash }) => hash)];
  const rows = await tx.query<{ hash: string }>({ name: 'receipts_known', text: KNOWN, values });
  return new Set(rows.map(({ hash }) => hash));
}

/** Writes receipts that are new. Fails when one of them is not: somebody else brought the same bytes meanwhile. */
export async function addReceipts(tx: Transaction, receipts: Receipt[]): Promise<void> {
  if (receipts.length === 0) return;
  const values = [
    receipts.map(({ accountId }) => accountId),
    receipts.map(({ hash }) => hash),
    receipts.map(({ receivedAt }) => receivedAt),
  ];
  await tx.query({ name: 'receipts_in', text: ADD, values });
}
