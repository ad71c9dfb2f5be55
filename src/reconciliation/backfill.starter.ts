// Which accounts need a backfill workflow, and how it is started.
import { QUEUE } from '../../workflows/names.js';
import { ASKED, RECONCILIATION } from '../../workflows/reconciliation.names.js';
import type { AccountInput } from '../../workflows/reconciliation.workflow.js';
import { publicId, uuidOf } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import type { DueWorkflow, WorkflowKind, WorkflowSignal, WorkflowStart } from '../outbox/workflow-kind.js';

interface Row {
  id: string;
  client_id: string;
  provider: string;
}

const DUE = `
select a.id, a.client_id, a.provider from provider_accounts a join backfills b on b.provider_account_id = a.id
where a.deleted_at is null and b.status in ('pending', 'running')`;
const DUE_AFTER = `${DUE} and ($1::uuid is null or a.id > $1::uuid) order by a.id limit $2`;
const DUE_AMONG = `${DUE} and a.id = any($1::uuid[])`;
const THESE = 'select id, client_id, provider from provider_accounts where id = any($1::uuid[]) and deleted_at is null';
const ID = /^reconciliation\/backfill\/(pa_[0-9a-z]{26})$/;

export class BackfillKind implements WorkflowKind {
  readonly type = RECONCILIATION;

  /** `publicUrl`: where the API is reached, for links in the Temporal UI. */
  constructor(private readonly publicUrl: string) {}

  async due(tx: Transaction, after: string | null, limit: number): Promise<DueWorkflow[]> {
    return (await tx.query<Row>({ text: DUE_AFTER, values: [after, limit] })).map(this.dueOf);
  }

  async dueAmong(tx: Transaction, ids: readonly string[]): Promise<DueWorkflow[]> {
    return (await tx.query<Row>({ text: DUE_AMONG, values: [ids] })).map(this.dueOf);
  }

  async startsOf(tx: Transaction, ids: readonly string[]): Promise<Map<string, WorkflowStart>> {
    const rows = await tx.query<Row>({ text: THESE, values: [ids] });
    return new Map(rows.map((row) => [row.id, this.startOf(row)]));
  }

  signalOf(): WorkflowSignal {
    return { name: ASKED, args: [] };
  }

  entityIdOf(workflowId: string): string | null {
    const id = ID.exec(workflowId)?.[1];
    return id === undefined ? null : uuidOf('providerAccount', id);
  }

  // Never reported as quiet: its activity waits by retrying for as long as the provider is unavailable.
  private readonly dueOf = (row: Row): DueWorkflow => ({ id: row.id, start: this.startOf(row), isQuiet: false });

  private startOf({ id, client_id: clientId, provider }: Row): WorkflowStart {
    const accountId = publicId('providerAccount', id);
    return {
      workflowId: `reconciliation/backfill/${accountId}`,
      type: this.type,
      queue: QUEUE.conversations,
      input: { accountId } satisfies AccountInput,
      attributes: { clientId: publicId('client', clientId), provider },
      summary: `${provider} · backfill`,
      details: `[Account](${this.publicUrl}/v1/provider-accounts/${accountId})`,
    };
  }
}
