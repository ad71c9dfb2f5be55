// `health` of a provider account: its webhooks, its live poll and its circuit breaker. Each part is one field and one reader.
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { timeText } from '../http/id-schema.js';
import type { Transaction } from '../database/with-scope.js';
import { readOpenCircuits } from '../providers/gateway/circuit-row.js';
import { readLivePolls } from '../reconciliation/live-poll-row.js';

const livePoll = z
  .object({
    last_at: timeText.nullable().meta({ description: 'When the last poll ended' }),
    live: z.int().nullable().meta({ description: 'Live conversations on the list; null: the list could not be read' }),
    problem: z.string().nullable().meta({ description: 'What went wrong, as a code' }),
  })
  .nullable()
  .meta({ description: "The last poll of the provider's list; null: `poll_active_seconds` is off" });

export const accountHealth = z
  .object({
    webhook_last_at: timeText.nullable().meta({ description: 'The last webhook, including refused ones' }),
    webhook_last_valid_at: timeText.nullable().meta({ description: 'The last webhook with a valid signature' }),
    signature_failures_24h: z.int().meta({ description: 'Webhooks of the last 24 hours with an invalid signature' }),
    live_poll: livePoll,
    circuit: z
      .enum(['closed', 'open'])
      .meta({ description: 'Open: the provider does not answer, and is tried with one request at a time' }),
  })
  .meta({
    id: 'ProviderAccountHealth',
    description:
      'State of the account, a few seconds old. It is no part of the revision: `If-Match` of a PATCH ignores it.',
  });

export type AccountHealth = z.infer<typeof accountHealth>;

/** Health of an account of which nothing is known yet. */
export const NO_HEALTH: AccountHealth = {
  webhook_last_at: null,
  webhook_last_valid_at: null,
  signature_failures_24h: 0,
  live_poll: null,
  circuit: 'closed',
};

interface Row {
  id: string;
  last_at: Date;
  last_valid_at: Date | null;
  failures: number;
}

const READ = `
select h.provider_account_id as id, h.last_at, h.last_valid_at, (
  select coalesce(sum(f.failures), 0)::float8 from signature_failures f
  where f.provider_account_id = h.provider_account_id and f.hour > now() - interval '24 hours') as failures
from webhook_health h where h.provider_account_id = any($1::uuid[])`;

/** Health by account; accounts of which nothing is known yet are left out. */
export async function readHealth(tx: Transaction, accountIds: readonly string[]): Promise<Map<string, AccountHealth>> {
  const [webhooks, polls, open] = await Promise.all([
    tx.query<Row>({ text: READ, values: [accountIds] }),
    readLivePolls(tx, accountIds),
    readOpenCircuits(tx, accountIds),
  ]);
  const health = new Map(
    webhooks.map((row): [string, AccountHealth] => [row.id, { ...NO_HEALTH, ...ofWebhooks(row) }]),
  );
  for (const [id, poll] of polls) health.set(id, { ...(health.get(id) ?? NO_HEALTH), live_poll: poll });
  for (const id of open) health.set(id, { ...(health.get(id) ?? NO_HEALTH), circuit: 'open' });
  return health;
}

const ofWebhooks = ({ last_at: at, last_valid_at: validAt, failures }: Row): Partial<AccountHealth> => ({
  webhook_last_at: at.toISOString(),
  webhook_last_valid_at: validAt?.toISOString() ?? null,
  signature_failures_24h: failures,
});

/** For the entity tag: changes whenever any part of the health changes. */
export const healthVersion = (health: AccountHealth): string => crc32(JSON.stringify(health)).toString(36);
