// ElevenLabs' list of conversations: summaries, filtered by start in whole seconds. Statuses can be excluded, but not selected.
import { z } from 'zod';
import { ProviderError, type ListPage, type ListQuery, type ProviderConnection } from '../provider.js';
import { getJson } from './client.js';

/** The largest page size it allows. */
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

/** One page, oldest start first. Throws ProviderError; retryable if the response has an unexpected shape. */
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
  // Whether its bounds are inclusive is not documented, so the range is requested a second wider and filtered afterwards.
  if (from !== null) parameters.set('call_start_after_unix', String(secondOf(from) - 1));
  if (to !== null) parameters.set('call_start_before_unix', String(Math.ceil(to / 1000) + 1));
  if (live) for (const status of OVER) parameters.append('exclude_statuses', status);
  if (cursor !== null) parameters.set('cursor', cursor);
  return parameters;
}

const secondOf = (ms: number): number => Math.floor(ms / 1000);

/** Start times are whole seconds, so a conversation that began in the same second as `from` is included. */
const isWithin = (startTime: number | null, { from, to }: ListQuery): boolean =>
  startTime === null || ((from === null || startTime >= secondOf(from) * 1000) && (to === null || startTime < to));
