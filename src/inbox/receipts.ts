// Receipts: keyed hashes of accepted bytes. They outlive the inbox and detect duplicates.
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/with-scope.js';
import type { BlindIndexHasher } from '../vault/blind-index-hasher.js';
import type { FactSource } from './inbox-fact.js';

interface FactContent {
  source: FactSource;
  identityHash: Buffer | null;
  body: Buffer;
}

/** The hash that identifies a fact. For workflows, whose facts about different conversations can be equal, it includes the conversation. */
export function factHash(hasher: BlindIndexHasher, { source, identityHash, body }: FactContent): Buffer {
  const scope = source === 'workflow' ? (identityHash?.toString('hex') ?? '') : '';
  return hasher.hash('fact', source, scope, createHash('sha256').update(body).digest('hex'));
}

export interface Receipt {
  accountId: string;
  hash: Buffer;
  receivedAt: Date;
}

const REQUESTED = 'unnest($1::uuid[], $2::bytea[]) as w(account_id, hash)';
const KNOWN = `
select encode(hash, 'hex') as hash from ${REQUESTED} where exists (
  select from fact_receipts r where r.provider_account_id = w.account_id and r.hash = w.hash)`;
const ADD = `
insert into fact_receipts (provider_account_id, hash, received_at)
select account_id, hash, received_at from unnest($1::uuid[], $2::bytea[], $3::timestamptz[]) as w(account_id, hash, received_at)
order by account_id, hash`;

/** The hashes, in hex, that were accepted before. */
export async function knownReceipts(tx: Transaction, receipts: Receipt[]): Promise<Set<string>> {
  if (receipts.length === 0) return new Set();
  const values = [receipts.map(({ accountId }) => accountId), receipts.map(({ hash }) => hash)];
  const rows = await tx.query<{ hash: string }>({ name: 'receipts_known', text: KNOWN, values });
  return new Set(rows.map(({ hash }) => hash));
}

/** Writes new receipts. Fails if one exists, because the same bytes were accepted meanwhile. */
export async function addReceipts(tx: Transaction, receipts: Receipt[]): Promise<void> {
  if (receipts.length === 0) return;
  const values = [
    receipts.map(({ accountId }) => accountId),
    receipts.map(({ hash }) => hash),
    receipts.map(({ receivedAt }) => receivedAt),
  ];
  await tx.query({ name: 'receipts_in', text: ADD, values });
}
