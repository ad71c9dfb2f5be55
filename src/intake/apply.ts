// Applies the facts of several conversations in one transaction: locks, reduces, writes, commits.
import { CONVERSATION } from '../../workflows/conversation.names.js';
import type { Transaction } from '../database/with-scope.js';
import { traceContextOf, tracesOf } from '../inbox/trace-context.js';
import type { Lane } from '../inbox/lanes.js';
import { lockIdentities, moveToAudio, readPending, removeFacts, type Identity } from '../inbox/pending-facts.js';
import { addReceipts, knownReceipts, type Receipt } from '../inbox/receipts.js';
import { lockFirstApplications, suppress } from '../inbox/suppression.js';
import { publicId } from '../common/ids.js';
import { appendJournal, type NewEntry } from '../journal/append.js';
import { traced } from '../observability/tracing.js';
import type { AgentDirectory } from '../record-store/agent-directory.js';
import {
  changeOf,
  readFacts,
  stateOf,
  type Change,
  type ChangeDependencies,
  type FactsToApply,
} from './conversation-change.js';
import { telemetryOf } from './apply-telemetry.js';
import type { ApplyResult, ApplyRequest, DirectFact } from './apply-request.js';
import { writeConversations } from '../record-store/write-conversations.js';
import { addSearchTodos, type SearchTodo } from '../record-store/search-todo.js';
import { sealConversation } from '../record-store/seal-conversation.js';
import { loadStates } from '../record-store/load-state.js';
import { addCommands, type WorkflowCommand } from '../outbox/workflow-commands.js';

export interface ApplyDependencies extends ChangeDependencies {
  agents: AgentDirectory;
}

export interface ApplyOptions {
  /** Wait for the lock (of one conversation) instead of skipping locked ones. */
  wait: boolean;
  /** Which pending facts are applied. */
  lanes: Lane[];
  /** Most pending facts per conversation. */
  limit: number;
}

const NOTHING: ApplyResult = {
  facts: 0,
  moved: 0,
  accepted: 0,
  woken: false,
  reindex: false,
  telemetry: null,
  stateAtRevision: null,
};

/** A request whose conversation is locked, with what was read of it. */
interface LockedConversation extends Omit<FactsToApply, 'account'> {
  request: ApplyRequest;
  /** Facts that leave the inbox. */
  factIds: string[];
  /** Facts that move to the audio lane. */
  movedIds: string[];
}

/** Applies requests, each for another conversation, in `tx`, and commits it. Null: the lock could not be acquired, nothing was done. */
export async function applyRequests(
  deps: ApplyDependencies,
  tx: Transaction,
  requests: ApplyRequest[],
  options: ApplyOptions,
): Promise<(ApplyResult | null)[]> {
  const locked = await lockAndRead(tx, requests, options);
  const erased = locked.filter((one) => hasFacts(one) && one.identity.state !== 'live');
  const live = locked.filter(({ identity }) => identity.state === 'live');
  const changes = await changesOf(deps, tx, live.filter(hasFacts));
  const ids = (name: 'factIds' | 'movedIds'): string[] => locked.flatMap((one) => one[name]);
  const agents = await deps.agents.idsFor(tx, [...changes.values()]);
  const rows = [...changes.values()].map((change) => sealConversation(change, agents));
  const written = Promise.all([
    writeConversations(tx, rows),
    addSearchTodos(tx, todosOf([...changes.values()])),
    addCommands(tx, commandsOf([...changes.values()])),
    appendJournal(tx, [...erased.map(suppressed), ...[...changes.values()].flatMap(({ journal }) => journal)]),
    addReceipts(
      tx,
      locked.flatMap(({ request, direct }) => receiptsOf(request, direct)),
    ),
    suppress(
      tx,
      locked.flatMap(({ stored, identity: { id } }) => (stored.is_suppressed ? [id] : [])),
    ),
    removeFacts(tx, ids('factIds')),
    moveToAudio(tx, ids('movedIds')),
  ]);
  tx.commit();
  await written;
  return resultsOf(deps, requests, locked, changes);
}

const hasFacts = ({ pending, direct }: LockedConversation): boolean => pending.length > 0 || direct.length > 0;

/** One round trip. The statements after the locks see what was committed before the locks were acquired. */
async function lockAndRead(
  tx: Transaction,
  requests: ApplyRequest[],
  { wait, ...wanted }: ApplyOptions,
): Promise<LockedConversation[]> {
  const candidates = requests.map(({ candidate }) => candidate);
  const [free, identities, pending, stored, known] = await Promise.all([
    lockFirstApplications(tx, candidates, wait),
    lockIdentities(tx, candidates, wait),
    readPending(tx, candidates, { ...wanted, opened: requests.flatMap(({ opened }) => [...(opened?.keys() ?? [])]) }),
    loadStates(tx, candidates),
    knownReceipts(
      tx,
      requests.flatMap((request) => receiptsOf(request, request.direct)),
    ),
  ]);
  return requests.flatMap((request, index): LockedConversation[] => {
    const [found, row] = [identities.get(index), stored.get(index)];
    if (!free.has(index) || found === undefined || row === undefined) return [];
    const identity: Identity = row.is_suppressed ? { ...found, state: 'erased' } : found;
    const facts = pending.get(index) ?? [];
    const direct = request.direct.filter(({ hash }) => !known.has(hash.toString('hex')));
    const opened = request.opened ?? new Map();
    const factIds = facts.map(({ id }) => id);
    return [{ request, identity, stored: row, pending: facts, opened, direct, factIds, movedIds: [] }];
  });
}

const commandsOf = (changes: Change[]): WorkflowCommand[] =>
  changes.flatMap(({ ref: { conversationId }, wake: kind, traceparent }) =>
    kind === null ? [] : [{ workflow: CONVERSATION, entityId: conversationId, kind, traceparent }],
  );

const todosOf = (changes: Change[]): SearchTodo[] =>
  changes.filter(({ reindex }) => reindex).map(({ ref, stateAtRevision: { revision } }) => ({ ...ref, revision }));

const receiptsOf = ({ candidate }: ApplyRequest, direct: DirectFact[]): Receipt[] =>
  direct.map(({ hash, receivedAt }) => ({ accountId: candidate.provider_account_id, hash, receivedAt }));

/** Facts of an erased conversation are dropped; only the journal records that they arrived. */
const suppressed = ({ identity: { id, client_id } }: { identity: Identity }): NewEntry => ({
  clientId: client_id,
  conversationId: id,
  action: 'ingest.suppressed',
  actor: { type: 'system', id: 'intake' },
});

/** The changes by request. Facts that contain recordings are moved to the audio lane. */
async function changesOf(
  deps: ApplyDependencies,
  tx: Transaction,
  locked: LockedConversation[],
): Promise<Map<ApplyRequest, Change>> {
  const traces = await tracesOf(
    tx,
    locked.flatMap(({ factIds }) => factIds),
  );
  const changes = await Promise.all(
    locked.map((one) => {
      const traceContext = traceContextOf([
        ...one.factIds.map((id) => traces.get(id) ?? null),
        ...one.direct.map(({ traceparent }) => traceparent),
      ]);
      return traced('intake apply', { kind: 'consumer', ...traceContext }, async (span) => {
        const toApply = factsToApply(one);
        const { id } = one.identity;
        span?.set({
          'colloquy.conversation_id': publicId('conversation', id),
          'colloquy.provider': toApply.account.provider,
        });
        const { facts, withAudio } = await readFacts(deps, toApply);
        one.movedIds = withAudio;
        one.factIds = one.factIds.filter((factId) => !withAudio.includes(factId));
        return facts.length === 0 ? [] : [[one.request, await changeOf(deps, toApply, facts)] as const];
      });
    }),
  );
  return new Map(changes.flat());
}

function factsToApply({ request: { account }, ...rest }: LockedConversation): FactsToApply {
  if (account === null) throw new Error('the provider account of these facts no longer exists');
  return { ...rest, account };
}

function resultsOf(
  deps: ApplyDependencies,
  requests: ApplyRequest[],
  locked: LockedConversation[],
  changes: Map<ApplyRequest, Change>,
): Promise<(ApplyResult | null)[]> {
  const byRequest = new Map(locked.map((one) => [one.request, one]));
  return Promise.all(
    requests.map(async (request): Promise<ApplyResult | null> => {
      const one = byRequest.get(request);
      if (one === undefined) return null;
      const accepted = one.direct.length;
      const facts = one.factIds.length + accepted;
      const moved = one.movedIds.length;
      const change = changes.get(request);
      if (change === undefined) {
        const asks = request.direct.length > 0 && one.identity.state === 'live';
        return {
          ...NOTHING,
          facts,
          moved,
          accepted,
          stateAtRevision: asks ? await stateOf(deps, factsToApply(one)) : null,
        };
      }
      const { ref, facts: applied, before, after, stateAtRevision, wake } = change;
      return {
        facts,
        moved,
        accepted,
        woken: wake !== null,
        reindex: change.reindex,
        telemetry: telemetryOf(ref, applied, before, after),
        stateAtRevision,
      };
    }),
  );
}
