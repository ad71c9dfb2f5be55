import { z } from 'zod';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, publicIdText, timeText } from '../http/id-schema.js';

export const parkedFactSchema = z
  .object({
    id: publicIdText('parkedFact'),
    object: z.literal('parked_fact'),
    state: z.enum(['parked', 'pending', 'applied']),
    client_id: publicIdText('client').nullable(),
    provider_account_id: publicIdText('providerAccount').nullable(),
    conversation_id: publicIdText('conversation')
      .nullable()
      .meta({ description: 'Null until a fact of the conversation has been applied' }),
    source: z.enum(['webhook', 'record', 'workflow']).nullable(),
    kind: z.string().nullable().meta({ description: "The provider's event, or the kind of a fact of our own" }),
    reason: z.string().nullable().meta({ description: 'Code: why it could not be applied' }),
    attempts: z.int(),
    received_at: timeText.nullable(),
    parked_at: timeText.nullable(),
  })
  .meta({ id: 'ParkedFact', description: 'Without its content. Once it is applied, only its id remains' });

export const parkedFactList = listSchema('ParkedFactList', parkedFactSchema);
export const parkedFactQuery = z.strictObject({
  ...pageQuery,
  client_id: idInput('client').optional(),
  provider_account_id: idInput('providerAccount').optional(),
});

export const retryInput = z
  .strictObject({
    reason: z.string().min(1).max(64).optional().meta({ description: 'Only facts that were parked for this reason' }),
    provider_account_id: idInput('providerAccount').optional(),
  })
  .meta({ id: 'ParkedFactsRetryInput' });
export const retriedSchema = z
  .object({ retried: z.int().meta({ description: 'At most 1,000: repeat until it is 0' }) })
  .meta({ id: 'RetriedFacts' });

export type RetryInput = z.infer<typeof retryInput>;
export type RetriedFacts = z.infer<typeof retriedSchema>;
export type ParkedFact = z.infer<typeof parkedFactSchema>;
export type ParkedFactQuery = z.infer<typeof parkedFactQuery>;
