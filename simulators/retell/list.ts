// `POST /v3/list-calls`: filters, sorting by start, pagination by key.
import type { z } from 'zod';
import { ApiError } from '../http.js';
import { type RetellCall } from './call.js';
import { omit } from '../records.js';
import { matches, type Filterable, type listCallsBody } from './filters.js';

type ListRequest = z.infer<typeof listCallsBody>;

/** A call for the list; `sortMs` is its start, or its creation time if it never started. */
export interface Listed extends Filterable {
  sortMs: number;
}

/** Retell's response envelope. */
export interface CallPage {
  items: RetellCall[];
  has_more: boolean;
  pagination_key?: string;
  total?: number;
}

const KEY = /^(-?\d+) (.+)$/s;

/** A pagination key that this simulator did not issue. */
class BadPaginationKey extends Error {}

const encode = (item: Listed): string => Buffer.from(`${item.sortMs} ${item.call.call_id}`).toString('base64url');

function decode(key: string): { sortMs: number; callId: string } {
  const match = KEY.exec(Buffer.from(key, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) throw new BadPaginationKey('pagination_key is invalid');
  return { sortMs: Number(match[1]), callId: match[2] };
}

function after(item: Listed, sortMs: number, callId: string): number {
  return item.sortMs - sortMs || (item.call.call_id < callId ? -1 : item.call.call_id > callId ? 1 : 0);
}

/**
 * One page. Calls that arrive between two pages neither repeat nor shift the others. Throws {@link BadPaginationKey}.
 */
function pageOf(calls: readonly Listed[], request: ListRequest): CallPage {
  const sign = request.sort_order === 'ascending' ? 1 : -1;
  const matching = calls.filter((item) => matches(item, request.filter_criteria ?? {}));
  matching.sort((a, b) => sign * after(a, b.sortMs, b.call.call_id));
  const from = request.pagination_key === undefined ? undefined : decode(request.pagination_key);
  const rest = from ? matching.filter((item) => sign * after(item, from.sortMs, from.callId) > 0) : matching;
  const page = rest.slice(request.skip, request.skip + request.limit);
  const last = page.at(-1);
  const hasMore = rest.length > request.skip + page.length && last !== undefined;
  return {
    items: page.map((item) => omit(item.call, [])),
    has_more: hasMore,
    ...(hasMore ? { pagination_key: encode(last) } : {}),
    ...(request.include_total ? { total: matching.length } : {}),
  };
}

/** One page. Throws {@link ApiError} 400, in Retell's format, for an invalid key. */
export function pageOrRefuse(calls: readonly Listed[], request: ListRequest): CallPage {
  try {
    return pageOf(calls, request);
  } catch (error) {
    if (error instanceof BadPaginationKey) throw new ApiError(400, error.message);
    throw error;
  }
}
