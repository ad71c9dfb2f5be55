// What runs for an account in Temporal: its backfill. Postgres says what there should be; this makes it so, however often it
// is asked.
import { WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import type { AccountInput } from '../../workflows/messages.js';
import { publicId } from '../common/ids.js';
import type { SearchAttributes } from './search-attributes.js';
import { QUEUE, SEARCH_ATTRIBUTE } from './settings.js';

/** An account as its workflows show it: ids and enumerations. */
export interface AccountOfWorkflow {
  id: string;
  client_id: string;
  provider: string;
}

const WORKFLOW = 'reconciliation';
const ASKED = 'asked';
const DEADLINE_MS = 5_000;

const backfillIdOf = (accountId: string): string => `reconciliation/backfill/${publicId('providerAccount', accountId)}`;

const attributesOf = ({ client_id: clientId, provider }: AccountOfWorkflow) => [
  { key: SEARCH_ATTRIBUTE.clientId, value: publicId('client', clientId) },
  { key: SEARCH_ATTRIBUTE.provider, value: provider },
];

export class AccountWorkflows {
  constructor(
    private readonly client: Client,
    private readonly options: { publicUrl: string; attributes: SearchAttributes },
  ) {}

  /** Starts the backfill's workflow; one that runs is told, in case it is about to end without having looked again. */
  async startBackfill(account: AccountOfWorkflow): Promise<void> {
    const options = {
      ...this.optionsOf(account),
      signal: ASKED,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    };
    await this.options.attributes.starting(attributesOf(account), (attributes) =>
      this.bounded(() => this.client.workflow.signalWithStart(WORKFLOW, { ...options, ...attributes })),
    );
  }

  private optionsOf(account: AccountOfWorkflow) {
    const accountId = publicId('providerAccount', account.id);
    const input: AccountInput = { accountId };
    return {
      workflowId: backfillIdOf(account.id),
      taskQueue: QUEUE.conversations,
      args: [input] as [AccountInput],
      staticSummary: `${account.provider} · backfill`,
      staticDetails: `[Account](${this.options.publicUrl}/v1/provider-accounts/${accountId})`,
    };
  }

  /** A Temporal that hangs must not hold the relay's rows for long. */
  private bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MS, call);
  }
}
