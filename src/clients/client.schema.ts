import { isSupportedCountry } from 'libphonenumber-js';
import { z } from 'zod';
import { nameText } from '../access/admin.js';
import { listSchema, pageQuery } from '../http/api-response.js';
import { publicIdText, timeText } from '../http/id-schema.js';

const region = z
  .string()
  .refine((value) => isSupportedCountry(value), 'must be an ISO 3166 country code such as US')
  .nullable()
  .meta({ description: 'ISO 3166 country for phone numbers without +' });

export const clientInput = z
  .strictObject({ name: nameText, default_region: region.optional() })
  .meta({ id: 'ClientInput' });

export const clientPatch = clientInput.partial().meta({ id: 'ClientPatch' });

export const clientSchema = z
  .object({
    id: publicIdText('client'),
    object: z.literal('client'),
    name: z.string(),
    default_region: z.string().nullable(),
    created_at: timeText,
    updated_at: timeText,
  })
  .meta({ id: 'Client' });

export const clientList = listSchema('ClientList', clientSchema);
export const clientQuery = z.strictObject(pageQuery);

export type ClientInput = z.infer<typeof clientInput>;
export type ClientPatch = z.infer<typeof clientPatch>;
export type Client = z.infer<typeof clientSchema>;
