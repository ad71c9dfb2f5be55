// Retell's list of calls (POST /v3/list-calls): sorted and filtered by start; its items lack the transcripts.
import { z } from 'zod';
import { ProviderError, type ListPage, type ListQuery, type ProviderCredentials } from '../provider.js';
import { post } from './client.js';

/** The largest page that older documents of Retell name. */
const PAGE = 1000;

const page = z.object({
  items: z.array(
    z.object({
      call_id: z.string().min(1),
      agent_id: z.string().nullish(),
      call_status: z.string().nullish(),
      start_timestamp: z.number().nullish(),
    }),
  ),
  has_more: z.boolean(),
  pagination_key: z.string().nullish(),
});

/** One page, oldest start first. Throws ProviderError; an answer of another shape is one that may be asked for again. */
export async function listCalls(credentials: ProviderCredentials, query: ListQuery): Promise<ListPage> {
  const answer = page.safeParse(await post(credentials, '/v3/list-calls', bodyOf(query)));
  if (!answer.success) throw new ProviderError(null, true);
  const { items, has_more: hasMore, pagination_key: key } = answer.data;
  return {
    items: items.map((item) => ({
      providerKind: 'call',
      providerId: item.call_id,
      providerAgentId: item.agent_id ?? null,
      startTime: item.start_timestamp ?? null,
      isOver: item.call_status !== 'ongoing' && item.call_status !== 'registered',
    })),
    next: hasMore && key ? key : null,
  };
}

function bodyOf({ from, to, live, cursor }: ListQuery): object {
  const criteria: Record<string, unknown> = {};
  if (live) criteria['call_status'] = { type: 'enum', op: 'in', value: ['ongoing'] };
  if (from !== null) criteria['start_timestamp'] = { type: 'number', op: 'ge', value: from };
  if (to !== null) criteria['start_timestamp'] = { type: 'number', op: 'lt', value: to };
  if (from !== null && to !== null) criteria['start_timestamp'] = { type: 'range', op: 'bt', value: [from, to - 1] };
  return {
    filter_criteria: criteria,
    limit: PAGE,
    sort_order: 'ascending',
    ...(cursor !== null && { pagination_key: cursor }),
  };
}
