// What is known of conversations before their facts are applied.
import type { Transaction } from '../database/with-scope.js';
import { requestedValues, REQUESTED_IDENTITIES, type Candidate } from '../inbox/pending-facts.js';
import { isErasedAnywhere } from '../inbox/suppression.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { openJson } from '../vault/sealing/sealing.js';
import type { ConversationState, StateAtRevision } from '../reducer/conversation-state.js';
import { purposeOf } from './seal-purposes.js';

/** `revision`, `state_revision` and `sealed` are null where nothing is known yet. */
export interface StoredRow {
  revision: number | null;
  state_revision: number | null;
  sealed: Buffer | null;
  /** Of the client, to read numbers by. */
  default_region: string | null;
  /** Nothing is stored, and the same conversation was erased in another account of the client. */
  is_suppressed: boolean;
}

const LOAD = `
select requested.nth::int, c.revision, s.revision as state_revision, s.sealed, cl.default_region,
  c.id is null and i.state = 'live' and ${isErasedAnywhere('i.client_id', 'i.suppression_hash')} as is_suppressed
from ${REQUESTED_IDENTITIES}
left join clients cl on cl.id = i.client_id
left join conversations c on c.id = i.id
left join conversation_states s on s.conversation_id = i.id`;

/** By place in `candidates`. A statement after the lock's, as it must see what was committed before the lock was had. */
export async function loadStates(tx: Transaction, candidates: Candidate[]): Promise<Map<number, StoredRow>> {
  const rows = await tx.query<StoredRow & { nth: number }>({
    name: 'load',
    text: LOAD,
    values: requestedValues(candidates),
  });
  return new Map(rows.map((row) => [row.nth - 1, row]));
}

/** The state that was stored last; null where nothing was. */
export function openState(
  row: Omit<StoredRow, 'default_region' | 'is_suppressed'>,
  keys: ConversationKeys,
): StateAtRevision | null {
  const { revision, state_revision: stateRevision, sealed } = row;
  if (revision === null || stateRevision === null || sealed === null) return null;
  const state = openJson(keys.get('record'), purposeOf('state', stateRevision), sealed) as ConversationState;
  return { state, revision };
}
