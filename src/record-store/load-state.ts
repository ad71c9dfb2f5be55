// What is known of conversations before their facts are applied.
import { DATA_CLASSES } from '../common/data-class.js';
import type { Transaction } from '../database/with-scope.js';
import { requestedValues, REQUESTED_IDENTITIES, type Candidate } from '../inbox/pending-facts.js';
import { isErasedAnywhere } from '../inbox/suppression.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { joinState, type StateAtRevision, type StateParts } from '../reducer/conversation-state.js';
import { openParts, type SealedParts } from './sealed-parts.js';

/** `revision`, `state_revision` and the parts of the state are null where nothing is known yet. */
export interface StoredRow extends SealedParts {
  revision: number | null;
  state_revision: number | null;
  /** Of the client, to read numbers by. */
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

/** By place in `candidates`. A statement after the lock's, as it must see what was committed before the lock was had. */
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
 * The state that was stored last, without the parts whose key was destroyed or that were not read; null where nothing was
 * stored. The keys must be those of the parts that were read.
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
