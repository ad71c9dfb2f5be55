// Loads the stored state of conversations before facts are applied.
import { DATA_CLASSES } from '../common/data-class.js';
import type { Transaction } from '../database/with-scope.js';
import { requestedValues, REQUESTED_IDENTITIES, type Candidate } from '../inbox/pending-facts.js';
import { isErasedAnywhere } from '../inbox/suppression.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { joinState, type StateAtRevision, type StateParts } from '../reducer/conversation-state.js';
import { openParts, type SealedParts } from './sealed-parts.js';

/** `revision`, `state_revision` and the parts of the state are null if nothing is stored yet. */
export interface StoredRow extends SealedParts {
  revision: number | null;
  state_revision: number | null;
  /** The client's region, for parsing phone numbers. */
  default_region: string | null;
  /** Nothing is stored, and the same conversation was erased in another account of the client. */
  is_suppressed: boolean;
}

const LOAD = `
select requested.nth::int, c.revision, s.revision as state_revision, s.record, s.transcript, s.audio, s.analysis,
  cl.default_region,
  c.id is null and i.state = 'live' and ${isErasedAnywhere('i.client_id', 'i.suppression_hash')} as is_suppressed
from ${REQUESTED_IDENTITIES}
left join clients cl on cl.id = i.client_id
left join conversations c on c.id = i.id
left join conversation_states s on s.conversation_id = i.id`;

/** By index in `candidates`. Must run after the statement that locks, so that it sees what was committed before. */
export async function loadStates(tx: Transaction, candidates: Candidate[]): Promise<Map<number, StoredRow>> {
  const rows = await tx.query<StoredRow & { nth: number }>({
    name: 'load',
    text: LOAD,
    values: requestedValues(candidates),
  });
  return new Map(rows.map((row) => [row.nth - 1, row]));
}

/** Keys that the state needs. */
export const STATE_KEYS = DATA_CLASSES;

/**
 * The stored state, without parts whose key was destroyed or that were not read; null if nothing is stored. `keys` must cover
 * the parts that were read.
 */
export function openState(
  row: Omit<StoredRow, 'default_region' | 'is_suppressed'>,
  keys: ConversationKeys,
): StateAtRevision | null {
  const { revision, state_revision: stateRevision, record, transcript, audio, analysis } = row;
  if (revision === null || stateRevision === null) return null;
  const parts = openParts(keys, { kind: 'state', revision: stateRevision }, { record, transcript, audio, analysis });
  return { state: joinState(parts as StateParts), revision };
}
