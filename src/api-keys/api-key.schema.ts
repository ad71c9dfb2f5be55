import { z } from 'zod';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, publicIdText, timeInput, timeText } from '../http/id-schema.js';
import { nameText } from '../access/admin.js';
import { ROLES, SCOPES } from '../access/rights.js';

const scopes = z
  .array(z.enum(SCOPES))
  .max(SCOPES.length)
  .meta({ description: '`right` adds a right to those of the role, `-right` takes one away' });

export const apiKeyInput = z
  .strictObject({
    name: nameText,
    role: z.enum(ROLES),
    client_ids: z
      .union([z.literal('*'), z.array(idInput('client')).min(1).max(1000)])
      .meta({ description: 'Clients that the key may see; `*`: all, including later ones' }),
    scopes: scopes.default([]),
    expires_at: timeInput.nullable().optional().meta({
      description: 'Absent: the latest time that COLLOQUY_KEY_LIFETIME_DAYS allows; `null`: never, if it allows that',
    }),
  })
  .meta({ id: 'ApiKeyInput' });

export const apiKeyPatch = z
  .strictObject({
    name: nameText.optional(),
    role: apiKeyInput.shape.role.optional(),
    client_ids: apiKeyInput.shape.client_ids.optional(),
    scopes: scopes.optional(),
    expires_at: timeInput.nullable().optional(),
  })
  .meta({ id: 'ApiKeyPatch' });

export const apiKeySchema = z
  .object({
    id: publicIdText('apiKey'),
    object: z.literal('api_key'),
    name: z.string(),
    role: z.enum(ROLES),
    client_ids: z.union([z.literal('*'), z.array(publicIdText('client'))]),
    scopes: z.array(z.string()),
    prefix: z.string().meta({ description: 'The first 12 characters of the secret' }),
    expires_at: timeText.nullable(),
    last_used_at: timeText.nullable().meta({ description: 'To the minute' }),
    revoked_at: timeText.nullable(),
    status: z
      .enum(['active', 'awaiting_approval', 'expired', 'revoked'])
      .meta({ description: '`awaiting_approval`: it does not work until a second admin has approved it' }),
    created_by: publicIdText('apiKey').nullable().meta({ description: 'Null for bootstrap keys' }),
    approved_by: publicIdText('apiKey').nullable(),
    approved_at: timeText.nullable(),
    created_at: timeText,
    updated_at: timeText,
  })
  .meta({ id: 'ApiKey' });

export const apiKeyWithSecret = apiKeySchema
  .extend({ secret: z.string().optional().meta({ description: 'Shown once; absent if the request is repeated' }) })
  .meta({ id: 'ApiKeyWithSecret' });

export const apiKeyList = listSchema('ApiKeyList', apiKeySchema);
export const apiKeyQuery = z.strictObject(pageQuery);

export type ApiKeyInput = z.infer<typeof apiKeyInput>;
export type ApiKeyPatch = z.infer<typeof apiKeyPatch>;
export type ApiKey = z.infer<typeof apiKeySchema>;
export type ApiKeyWithSecret = z.infer<typeof apiKeyWithSecret>;
