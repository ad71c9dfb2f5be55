// Schemas of provider accounts: requests and responses.
import { z } from 'zod';
import { nameText } from '../access/admin.js';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, publicIdText, timeText } from '../http/id-schema.js';
import { providerName } from '../providers/providers.js';
import { accountHealth } from './account-health.js';

/** 10 years. */
const MAX_SECONDS = 315_360_000;

const secret = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters');

const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((value) => isPlainUrl(value), 'must have no user, password, query or fragment')
  .meta({ description: "Where the provider's API is called; null: the provider's own address" });

const seconds = z.int().min(1).max(MAX_SECONDS).nullable();
const deadlines = z
  .strictObject({
    silence: seconds.optional(),
    ask_every: seconds.optional(),
    analysis: seconds.optional(),
    transcript: seconds.optional(),
    audio: seconds.optional(),
  })
  .meta({ description: 'Seconds; null restores the default' });

const agentClients = z
  .array(z.strictObject({ provider_agent_id: z.string().min(1).max(500), client_id: idInput('client') }))
  .max(10_000)
  .refine(
    (entries) => new Set(entries.map((entry) => entry.provider_agent_id)).size === entries.length,
    'must name each agent once',
  )
  .meta({ description: 'Agents of this account whose conversations belong to other clients' });

const changeable = {
  webhook_secret: secret.nullable().optional(),
  base_url: baseUrl.nullable().optional(),
  backfill_days: z.int().min(0).max(3650).optional(),
  poll_active_seconds: z.int().min(2).max(86_400).nullable().optional(),
  agent_clients: agentClients.optional(),
  deadlines: deadlines.optional(),
};

export const providerAccountInput = z
  .strictObject({
    provider: providerName,
    name: nameText,
    client_id: idInput('client'),
    api_key: secret,
    ...changeable,
  })
  .meta({ id: 'ProviderAccountInput' });

export const providerAccountPatch = z
  .strictObject({ name: nameText.optional(), api_key: secret.optional(), ...changeable })
  .meta({ id: 'ProviderAccountPatch' });

const backfill = z
  .object({
    status: z.enum(['none', 'pending', 'running', 'completed', 'failed']),
    from: timeText.nullable(),
    to: timeText.nullable(),
    checked: z.int().meta({ description: 'Conversations of the provider that were checked' }),
    added: z.int().meta({ description: 'Of these, conversations that were unknown and have been imported' }),
    skipped: z.int().meta({ description: 'Of these, conversations that the provider lists but does not deliver' }),
    skipped_reasons: z.record(z.string(), z.int()).meta({ description: 'Skipped conversations by reason, a code' }),
    done_until: timeText.nullable().meta({ description: 'Everything from here to `to` has been checked' }),
    started_at: timeText.nullable(),
    completed_at: timeText.nullable(),
    last_error: z.string().nullable().meta({ description: 'What blocks it now, as a code' }),
  })
  .meta({ id: 'Backfill', description: "Import of the account's past, newest first" });

export const providerAccountSchema = z
  .object({
    id: publicIdText('providerAccount'),
    object: z.literal('provider_account'),
    provider: z.string(),
    name: z.string(),
    client_id: publicIdText('client'),
    base_url: z.string().nullable(),
    webhook_url: z.string(),
    has_api_key: z.boolean(),
    has_webhook_secret: z.boolean().meta({
      description:
        'False: webhooks get 401 `invalid_signature` until a secret is set, unless the provider signs with the API key',
    }),
    agent_clients: z.array(z.object({ provider_agent_id: z.string(), client_id: publicIdText('client') })),
    backfill_days: z.int(),
    poll_active_seconds: z.int().nullable(),
    deadlines: z
      .object({ silence: z.int(), ask_every: z.int(), analysis: z.int(), transcript: z.int(), audio: z.int() })
      .meta({ description: 'Seconds; the default `silence` of a chat is 86400' }),
    backfill,
    health: accountHealth,
    created_at: timeText,
    updated_at: timeText,
  })
  .meta({ id: 'ProviderAccount' });

export const providerAccountList = listSchema('ProviderAccountList', providerAccountSchema);
export const providerAccountQuery = z.strictObject({
  ...pageQuery,
  client_id: idInput('client').optional(),
  provider: providerName.optional(),
});

export type ProviderAccountInput = z.infer<typeof providerAccountInput>;
export type ProviderAccountPatch = z.infer<typeof providerAccountPatch>;
export type ProviderAccountQuery = z.infer<typeof providerAccountQuery>;
export type ProviderAccountAnswer = z.infer<typeof providerAccountSchema>;

/** The API returns the address, so it must not contain a secret. */
function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return [username, password, search, hash].every((part) => part === '');
}
