// Which conversations need a workflow, and how it is started.
import type { ConversationInput } from '../../workflows/conversation.workflow.js';
import { CONVERSATION, conversationWorkflowId, WAKE } from '../../workflows/conversation.names.js';
import { QUEUE } from '../../workflows/names.js';
import { publicId, uuidOf } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import type { DueWorkflow, WorkflowKind, WorkflowSignal, WorkflowStart } from '../outbox/workflow-kind.js';

interface Row {
  id: string;
  client_id: string;
  provider: string;
  channel: string;
  direction: string | null;
}

interface DueRow extends Row {
  is_quiet: boolean;
}

const COLUMNS = 'id, client_id, provider, channel, direction';
/** Conversations that are not settled, or have a further recording to fetch. */
const DUE = `
select ${COLUMNS}, last_fact_at < now() - interval '1 hour' as is_quiet from conversations
where (record_state in ('open', 'settling') or unfetched)`;
const DUE_AFTER = `${DUE} and ($1::uuid is null or id > $1::uuid) order by id limit $2`;
const DUE_AMONG = `${DUE} and id = any($1::uuid[])`;
const THESE = `select ${COLUMNS} from conversations where id = any($1::uuid[])`;
const ID = /^conversation\/(conv_[0-9a-z]{26})$/;

export class ConversationKind implements WorkflowKind {
  readonly type = CONVERSATION;

  /** `publicUrl`: where the API is reached, for links in the Temporal UI. */
  constructor(private readonly publicUrl: string) {}

  async due(tx: Transaction, after: string | null, limit: number): Promise<DueWorkflow[]> {
    const rows = await tx.query<DueRow>({ name: 'conversations_due', text: DUE_AFTER, values: [after, limit] });
    return rows.map((row) => this.dueOf(row));
  }

  async dueAmong(tx: Transaction, ids: readonly string[]): Promise<DueWorkflow[]> {
    return (await tx.query<DueRow>({ text: DUE_AMONG, values: [ids] })).map((row) => this.dueOf(row));
  }

  async startsOf(tx: Transaction, ids: readonly string[]): Promise<Map<string, WorkflowStart>> {
    const rows = await tx.query<Row>({ name: 'conversation_starts', text: THESE, values: [ids] });
    return new Map(rows.map((row) => [row.id, this.startOf(row)]));
  }

  /** The first command starts it; the later ones are news for it. */
  signalOf(command: string): WorkflowSignal | null {
    return command === 'started' ? null : { name: WAKE, args: [command] };
  }

  entityIdOf(workflowId: string): string | null {
    const id = ID.exec(workflowId)?.[1];
    return id === undefined ? null : uuidOf('conversation', id);
  }

  private readonly dueOf = (row: DueRow): DueWorkflow => ({
    id: row.id,
    start: this.startOf(row),
    isQuiet: row.is_quiet,
  });

  private startOf({ id, client_id: clientId, provider, channel, direction }: Row): WorkflowStart {
    const conversationId = publicId('conversation', id);
    const url = `${this.publicUrl}/v1/conversations/${conversationId}`;
    return {
      workflowId: conversationWorkflowId(conversationId),
      type: this.type,
      queue: QUEUE.conversations,
      input: { conversationId } satisfies ConversationInput,
      attributes: { clientId: publicId('client', clientId), provider, channel },
      summary: [provider, channel, direction].filter((word) => word !== null).join(' · '),
      details: `[Record](${url}) · [history](${url}/history)`,
    };
  }
}
