import { z } from 'zod';
import { nameText } from '../access/admin.js';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, publicIdText, timeText } from '../http/id-schema.js';

export const agentInput = z
  .strictObject({
    client_id: idInput('client'),
    name: nameText,
    version: z.string().trim().min(1).max(200).nullable().optional(),
  })
  .meta({ id: 'AgentInput' });

export const agentPatch = z.strictObject({ name: nameText.optional() }).meta({ id: 'AgentPatch' });

export const agentSchema = z
  .object({
    id: publicIdText('agent'),
    object: z.literal('agent'),
    client_id: publicIdText('client'),
    provider_account_id: publicIdText('providerAccount').nullable(),
    provider_agent_id: z.string().nullable(),
    name: z.string().nullable(),
    version: z
      .string()
      .nullable()
      .meta({ description: 'Version in its latest conversation; each conversation keeps its own' }),
    created_at: timeText,
    updated_at: timeText,
  })
  .meta({ id: 'Agent' });

export const agentList = listSchema('AgentList', agentSchema);
export const agentQuery = z.strictObject({
  ...pageQuery,
  client_id: idInput('client').optional(),
  provider_account_id: idInput('providerAccount').optional(),
});

export type AgentInput = z.infer<typeof agentInput>;
export type AgentPatch = z.infer<typeof agentPatch>;
export type AgentQuery = z.infer<typeof agentQuery>;
export type Agent = z.infer<typeof agentSchema>;
