// Groups candidates and requests into transactions. Pure.
import type { WaitingCandidate } from '../inbox/candidates.js';
import type { ApplyRequest } from './apply-request.js';

/** In larger transactions, the first conversations would wait too long for the last. */
const MAX_CONVERSATIONS = 8;
/** Fewer do not justify another transaction. */
const MIN_CONVERSATIONS = 4;
/** Sealed bytes. A larger conversation has its own transaction, so that opening it does not delay others. */
const MAX_BYTES = 1024 * 1024;

interface BatchOptions {
  /** Transactions that run concurrently. */
  loops: number;
  /** Most conversations per transaction. */
  maxConversations?: number | undefined;
  /** More wait behind these candidates, so transactions are filled up instead of divided among the loops. */
  hasMore?: boolean;
}

/** Splits candidates, in order, into transactions. */
export function batchesOf(
  candidates: WaitingCandidate[],
  { loops, maxConversations = MAX_CONVERSATIONS, hasMore = false }: BatchOptions,
): WaitingCandidate[][] {
  const fair = hasMore ? maxConversations : Math.ceil(candidates.length / loops);
  const most = Math.min(maxConversations, Math.max(MIN_CONVERSATIONS, fair));
  const severalAccounts = candidates.some(({ rank }, index) => index > 0 && rank === 1);
  const batches: WaitingCandidate[][] = [];
  let [batch, total]: [WaitingCandidate[], number] = [[], 0];
  for (const candidate of candidates) {
    total += candidate.bytes;
    // The first conversation of each account does not wait for the others of a busy account.
    const isBehindFirst = severalAccounts && candidate.rank > 1 && batch.at(-1)?.rank === 1;
    if (batch.length > 0 && (batch.length === most || total > MAX_BYTES || isBehindFirst)) {
      batches.push(batch);
      [batch, total] = [[], candidate.bytes];
    }
    batch.push(candidate);
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

/** Merges requests for the same conversation; maps each merged request to its parts. */
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
