// Applies facts of several conversations: their locks, their reductions, one commit.
import type { Transaction } from '../database/with-scope.js';
import { originOf, tracesOf } from '../inbox/trace-context.js';
import type { Lane } from '../inbox/lanes.js';
import { lockIdentities, moveToAudio, readPending, removeFacts, type Identity } from '../inbox/pending-facts.js';
import { addReceipts, knownReceipts, type Receipt } from '../inbox/receipts.js';
import { publicId } from '../common/ids.js';
import { appendJournal, type NewEntry } from '../journal/append.js';
import { traced } from '../observability/tracing.js';
import type { AgentDirectory } from '../record-store/agent-directory.js';
import {
  changeOf,
  factsOf,
  standingOf,
  type Change,
  type ChangeDependencies,
  type Subject,
} from './conversation-change.js';
import { newsOf } from './apply-telemetry.js';
import type { Applied, Order, SaidFact } from './apply-request.js';
import { writeConversations } from '../record-store/write-conversations.js';
import { sealed } from '../record-store/seal-conversation.js';
import { loadStored } from '../record-store/load-state.js';
import { addWakes } from '../outbox/workflow-commands.js';

export interface ApplyDependencies extends ChangeDependencies {
  agents: AgentDirectory;
}

export interface ApplyOptions {
  /** Wait for the lock (of one conversation) instead of skipping conversations that somebody else has. */
  wait: boolean;
  /** Of what waits for a conversation in these lanes, at most so many facts at once. */
  lanes: Lane[];
  limit: number;
}

const NOTHING: Applied = { facts: 0, moved: 0, accepted: 0, woken: false, news: null, standing: null };

/** An order whose lock was had. */
interface Locked extends Omit<Subject, 'account'> {
  order: Order;
  /** That leave the inbox. */
  factIds: string[];
  /** That wait in it, in the audio lane. */
  movedIds: string[];
}

/** Carries out orders, each of another conversation, in `tx`, and commits it. Null where the lock was not to be had: nothing was done. */
export async function applyOrders(
  deps: ApplyDependencies,
  tx: Transaction,
  orders: Order[],
  options: ApplyOptions,
): Promise<(Applied | null)[]> {
  const locked = await lockAndRead(tx, orders, options);
  const erased = locked.filter((one) => isAtWork(one) && one.identity.state !== 'live');
  const live = locked.filter(({ identity }) => identity.state === 'live');
  const changes = await changesOf(deps, tx, live.filter(isAtWork));
  const ids = (name: 'factIds' | 'movedIds'): string[] => locked.flatMap((one) => one[name]);
  const agents = await deps.agents.idsFor(tx, [...changes.values()]);
  const rows = await Promise.all([...changes.values()].map((change) => sealed(deps.vault, change, agents)));
  const written = Promise.all([
    writeConversations(tx, rows),
    addWakes(tx, [...changes.values()]),
    appendJournal(tx, [...erased.map(suppressed), ...[...changes.values()].flatMap(({ journal }) => journal)]),
    addReceipts(
      tx,
      locked.flatMap(({ order, said }) => receiptsOf(order, said)),
    ),
    removeFacts(tx, ids('factIds')),
    moveToAudio(tx, ids('movedIds')),
  ]);
  tx.commit();
  await written;
  return outcomesOf(deps, orders, locked, changes);
}

const isAtWork = ({ pending, said }: Locked): boolean => pending.length > 0 || said.length > 0;

/** Sent together, run one after another: what follows the lock sees what was committed before the lock was had. */
async function lockAndRead(tx: Transaction, orders: Order[], { wait, ...wanted }: ApplyOptions): Promise<Locked[]> {
  const candidates = orders.map(({ candidate }) => candidate);
  const [identities, pending, stored, known] = await Promise.all([
    lockIdentities(tx, candidates, wait),
    readPending(tx, candidates, { ...wanted, opened: orders.flatMap(({ opened }) => [...(opened?.keys() ?? [])]) }),
    loadStored(tx, candidates),
    knownReceipts(
      tx,
      orders.flatMap((order) => receiptsOf(order, order.said)),
    ),
  ]);
  return orders.flatMap((order, place): Locked[] => {
    const [identity, row] = [identities.get(place), stored.get(place)];
    if (identity === undefined || row === undefined) return [];
    const facts = pending.get(place) ?? [];
    const said = order.said.filter(({ hash }) => !known.has(hash.toString('hex')));
    const opened = order.opened ?? new Map();
    const factIds = facts.map(({ id }) => id);
    return [{ order, identity, stored: row, pending: facts, opened, said, factIds, movedIds: [] }];
  });
}

const receiptsOf = ({ candidate }: Order, said: SaidFact[]): Receipt[] =>
  said.map(({ hash, receivedAt }) => ({ accountId: candidate.provider_account_id, hash, receivedAt }));

/** Nothing erased is taken back: the facts go, and only the journal knows that they came. */
const suppressed = ({ identity: { id, client_id } }: { identity: Identity }): NewEntry => ({
  ...{ clientId: client_id, conversationId: id, action: 'ingest.suppressed' },
  actor: { type: 'system', id: 'intake' },
});

/** What changes, by order; facts that hold recordings are put aside. */
async function changesOf(deps: ApplyDependencies, tx: Transaction, locked: Locked[]): Promise<Map<Order, Change>> {
  const traces = await tracesOf(
    tx,
    locked.flatMap(({ factIds }) => factIds),
  );
  const changes = await Promise.all(
    locked.map((one) => {
      const origin = originOf([
        ...one.factIds.map((id) => traces.get(id) ?? null),
        ...one.said.map(({ traceparent }) => traceparent),
      ]);
      return traced('intake apply', { kind: 'consumer', ...origin }, async (span) => {
        const subject = subjectOf(one);
        const { id } = one.identity;
        span?.set({
          'colloquy.conversation_id': publicId('conversation', id),
          'colloquy.provider': subject.account.provider,
        });
        const { facts, withAudio } = await factsOf(deps, subject);
        one.movedIds = withAudio;
        one.factIds = one.factIds.filter((factId) => !withAudio.includes(factId));
        return facts.length === 0 ? [] : [[one.order, await changeOf(deps, subject, facts)] as const];
      });
    }),
  );
  return new Map(changes.flat());
}

function subjectOf({ order: { account }, ...rest }: Locked): Subject {
  if (account === null) throw new Error('the provider account of these facts is gone');
  return { ...rest, account };
}

function outcomesOf(
  deps: ApplyDependencies,
  orders: Order[],
  locked: Locked[],
  changes: Map<Order, Change>,
): Promise<(Applied | null)[]> {
  const byOrder = new Map(locked.map((one) => [one.order, one]));
  return Promise.all(
    orders.map(async (order): Promise<Applied | null> => {
      const one = byOrder.get(order);
      if (one === undefined) return null;
      const accepted = one.said.length;
      const facts = one.factIds.length + accepted;
      const moved = one.movedIds.length;
      const change = changes.get(order);
      if (change === undefined) {
        const asks = order.said.length > 0 && one.identity.state === 'live';
        return { ...NOTHING, facts, moved, accepted, standing: asks ? await standingOf(deps, subjectOf(one)) : null };
      }
      const { owner, facts: applied, before, after, standing, wake } = change;
      return { facts, moved, accepted, woken: wake !== null, news: newsOf(owner, applied, before, after), standing };
    }),
  );
}
