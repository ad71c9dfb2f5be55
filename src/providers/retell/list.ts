// Retell's lists of calls and chats (POST /v3/list-calls, /v3/list-chats): sorted and filtered by start; items have no transcripts.
import { z } from 'zod';
import { ProviderError, type ListPage, type ListQuery, type ProviderConnection } from '../provider.js';
import { post } from './client.js';

/** The largest page size that Retell's older documentation mentions. */
const PAGE = 1000;

const text = z.string().nullish().catch(null);
const item = z.object({
  call_id: text,
  chat_id: text,
  agent_id: text,
  call_status: text,
  chat_status: text,
  start_timestamp: z.number().nullish().catch(null),
});
const page = z.object({
  items: z.array(item),
  has_more: z.boolean(),
  pagination_key: z.string().nullish(),
});

const LIVE = new Set(['ongoing', 'registered']);

/** One page, oldest start first. Throws ProviderError; retryable if the response has an unexpected shape. */
export async function listConversations(connection: ProviderConnection, query: ListQuery): Promise<ListPage> {
  const isChat = query.providerKind === 'chat';
  const answer = page.safeParse(
    await post(connection, isChat ? '/v3/list-chats' : '/v3/list-calls', bodyOf(query, isChat)),
  );
  if (!answer.success) throw new ProviderError(null, true);
  const { items, has_more: hasMore, pagination_key: key } = answer.data;
  return {
    items: items.flatMap((listed) => {
      const providerId = isChat ? listed.chat_id : listed.call_id;
      if (!providerId) return [];
      return {
        providerKind: query.providerKind,
        providerId,
        providerAgentId: listed.agent_id ?? null,
        startTime: listed.start_timestamp ?? null,
        isOver: !LIVE.has((isChat ? listed.chat_status : listed.call_status) ?? ''),
      };
    }),
    next: hasMore && key ? key : null,
  };
}

function bodyOf({ from, to, live, cursor, limit = PAGE }: ListQuery, isChat: boolean): object {
  const criteria: Record<string, unknown> = {};
  if (live) criteria[isChat ? 'chat_status' : 'call_status'] = { type: 'enum', op: 'in', value: ['ongoing'] };
  if (from !== null) criteria['start_timestamp'] = { type: 'number', op: 'ge', value: from };
  if (to !== null) criteria['start_timestamp'] = { type: 'number', op: 'lt', value: to };
  if (from !== null && to !== null) criteria['start_timestamp'] = { type: 'range', op: 'bt', value: [from, to - 1] };
  return {
    filter_criteria: criteria,
    limit,
    sort_order: 'ascending',
    ...(cursor !== null && { pagination_key: cursor }),
  };
}
