// How requests share transactions. Pure.
import type { WaitingCandidate } from '../inbox/candidates.js';
import type { ApplyRequest } from './apply-request.js';

/** Beyond, a transaction keeps its first conversation waiting for its last. */
const MAX_CONVERSATIONS = 8;
/** Fewer are not worth a second transaction. */
const MIN_CONVERSATIONS = 4;
/** Sealed. A conversation with more goes alone: to open it would hold up the others. */
const MAX_BYTES = 1024 * 1024;

interface Cut {
  /** Transactions that run at once. */
  loops: number;
  /** Conversations that share one at most. */
  together?: number | undefined;
  /** More wait behind these candidates: full transactions, since no loop will have nothing to do. */
  hasMore?: boolean;
}

/** Candidates in their order, cut into transactions. */
export function batchesOf(
  candidates: WaitingCandidate[],
  { loops, together = MAX_CONVERSATIONS, hasMore = false }: Cut,
): WaitingCandidate[][] {
  const fair = hasMore ? together : Math.ceil(candidates.length / loops);
  const most = Math.min(together, Math.max(MIN_CONVERSATIONS, fair));
  const severalAccounts = candidates.some(({ turn }, index) => index > 0 && turn === 1);
  const batches: WaitingCandidate[][] = [];
  let [batch, total]: [WaitingCandidate[], number] = [[], 0];
  for (const candidate of candidates) {
    total += candidate.bytes;
    // The first of each account do not wait for what one of them has much of.
    const isBehindFirst = severalAccounts && candidate.turn > 1 && batch.at(-1)?.turn === 1;
    if (batch.length > 0 && (batch.length === most || total > MAX_BYTES || isBehindFirst)) {
      batches.push(batch);
      [batch, total] = [[], candidate.bytes];
    }
    batch.push(candidate);
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

/** Orders of one conversation become one: the merged request → those it was made of. */
export function byConversation(requests: ApplyRequest[]): Map<ApplyRequest, ApplyRequest[]> {
  const parts = new Map<string, ApplyRequest[]>();
  for (const request of requests) {
    const { provider_account_id: account, identity_hash: hash } = request.candidate;
    const key = `${account}|${hash.toString('hex')}`;
    parts.set(key, [...(parts.get(key) ?? []), request]);
  }
  return new Map(
    [...parts.values()].flatMap((same) => {
      const [first] = same;
      return first === undefined ? [] : [[{ ...first, direct: same.flatMap(({ direct }) => direct) }, same] as const];
    }),
  );
}
