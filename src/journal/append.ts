// Appends entries to the journal, in the transaction of the change that they record.
import { newUuid } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';

export interface Actor {
  type: 'key' | 'workflow' | 'provider' | 'system';
  /** A public id, or the name of one of our components; never a person. */
  id: string | null;
}

export interface NewEntry {
  clientId: string;
  conversationId?: string | null;
  action: string;
  objectIds?: string[];
  actor: Actor;
  purpose?: string | null;
  /** A code, ours or the provider's; never free text. */
  reason?: string | null;
  workflowId?: string | null;
  changes?: string[];
  revision?: number | null;
}

const COLUMNS =
  'id, client_id, conversation_id, action, object_ids, actor_type, actor_id, purpose, reason, workflow_id, changes, revision';

const APPEND = `
insert into journal (${COLUMNS})
select e.id, e.client_id, e.conversation_id, e.action, coalesce(e.object_ids, '{}'), e.actor_type, e.actor_id, e.purpose,
  e.reason, e.workflow_id, coalesce(e.changes, '{}'), e.revision
from rows from (json_to_recordset($1::json) as (id uuid, client_id uuid, conversation_id uuid, action text, object_ids uuid[],
  actor_type text, actor_id text, purpose text, reason text, workflow_id text, changes text[], revision integer))
  with ordinality as e(id, client_id, conversation_id, action, object_ids, actor_type, actor_id, purpose, reason, workflow_id,
    changes, revision, n)
order by e.n`;

/** Appends the entries in the given order. */
export async function appendJournal(tx: Transaction, entries: NewEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    id: newUuid(),
    client_id: entry.clientId,
    conversation_id: entry.conversationId ?? null,
    action: entry.action,
    object_ids: entry.objectIds ?? [],
    actor_type: entry.actor.type,
    actor_id: entry.actor.id,
    purpose: entry.purpose ?? null,
    reason: entry.reason ?? null,
    workflow_id: entry.workflowId ?? null,
    changes: entry.changes ?? [],
    revision: entry.revision ?? null,
  }));
  await tx.query({ name: 'journal', text: APPEND, values: [JSON.stringify(rows)] });
}
