// How an account fares: `health` of a provider account. Each part is one line of the schema and one reader.
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { timeText } from '../http/id-schema.js';
import type { Transaction } from '../database/with-scope.js';
import { readOpenCircuits } from '../providers/gateway/circuit-row.js';
import { readLivePolls } from '../reconciliation/live-poll-row.js';

const livePoll = z
  .object({
    last_at: timeText.nullable().meta({ description: 'When the last poll ended' }),
    live: z
      .int()
      .nullable()
      .meta({ description: 'Live conversations of the list; null: the provider did not give it' }),
    problem: z.string().nullable().meta({ description: 'What went wrong, as a code' }),
  })
  .nullable()
  .meta({ description: "The last look at the provider's list; null: `poll_active_seconds` is off" });

export const accountHealth = z
  .object({
    webhook_last_at: timeText.nullable().meta({ description: 'The last webhook, refused ones included' }),
    webhook_last_valid_at: timeText.nullable().meta({ description: 'The last one whose signature was right' }),
    signature_failures_24h: z.int().meta({ description: 'Webhooks of the last 24 hours whose signature was not' }),
    live_poll: livePoll,
    circuit: z
      .enum(['closed', 'open'])
      .meta({ description: 'Open: its provider does not answer, and one question at a time tries it' }),
  })
  .meta({
    id: 'ProviderAccountHealth',
    description:
      'How the account fares, a few seconds late. PATCH does not count it as a change: `If-Match` ignores it.',
  });

export type AccountHealth = z.infer<typeof accountHealth>;

/** Of an account of which nothing is known yet. */
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

/** Health by account. Accounts of which nothing is known are left out. */
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

/** For the entity tag: another value as soon as anything of it changes. */
export const healthVersion = (health: AccountHealth): string => crc32(JSON.stringify(health)).toString(36);
