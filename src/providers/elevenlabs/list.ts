// ElevenLabs' list of conversations: by start, in whole seconds; summaries only. It cannot be asked for a status, only against some.
import { z } from 'zod';
import { ProviderError, type ListPage, type ListQuery, type ProviderConnection } from '../provider.js';
import { getJson } from './client.js';

/** The largest page that it gives. */
const PAGE = 100;
const OVER = ['processing', 'done', 'failed'];

const page = z.object({
  conversations: z.array(
    z.object({
      conversation_id: z.string().min(1),
      agent_id: z.string().nullish().catch(null),
      status: z.string().nullish().catch(null),
      start_time_unix_secs: z.number().nullish().catch(null),
    }),
  ),
  has_more: z.boolean(),
  next_cursor: z.string().nullish(),
});

/** One page, oldest start first. Throws ProviderError; an answer of another shape is one that may be asked for again. */
export async function listConversations(connection: ProviderConnection, query: ListQuery): Promise<ListPage> {
  const answer = page.safeParse(
    await getJson(connection, `/v1/convai/conversations?${parametersOf(query).toString()}`),
  );
  if (!answer.success) throw new ProviderError(null, true);
  const { conversations, has_more: hasMore, next_cursor: next } = answer.data;
  const items = conversations.map((item) => ({
    providerKind: 'conversation',
    providerId: item.conversation_id,
    providerAgentId: item.agent_id ?? null,
    startTime: item.start_time_unix_secs ? item.start_time_unix_secs * 1000 : null,
    isOver: OVER.includes(item.status ?? ''),
  }));
  return { items: items.filter(({ startTime }) => isWithin(startTime, query)), next: hasMore && next ? next : null };
}

function parametersOf({ from, to, live, cursor, limit = PAGE }: ListQuery): URLSearchParams {
  const parameters = new URLSearchParams({ page_size: String(limit), sort_direction: 'asc', summary_mode: 'exclude' });
  // Whether its bounds are inclusive is not documented: asked a second wider, then cut to measure.
  if (from !== null) parameters.set('call_start_after_unix', String(secondOf(from) - 1));
  if (to !== null) parameters.set('call_start_before_unix', String(Math.ceil(to / 1000) + 1));
  if (live) for (const status of OVER) parameters.append('exclude_statuses', status);
  if (cursor !== null) parameters.set('cursor', cursor);
  return parameters;
}

const secondOf = (ms: number): number => Math.floor(ms / 1000);

/** Its starts are whole seconds: one that began in the same second as `from` belongs to it. */
const isWithin = (startTime: number | null, { from, to }: ListQuery): boolean =>
  startTime === null || ((from === null || startTime >= secondOf(from) * 1000) && (to === null || startTime < to));
