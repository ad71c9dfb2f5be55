// How workflows speak: a fact into the inbox, applied at once by the same code as every other.
import type { Inbox } from '../inbox/inbox.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { WorkflowFact } from './fact.js';
import type { Intake } from './intake.js';

/** The conversation that is spoken of. */
export interface Addressee {
  account: ProviderAccount;
  identityHash: Buffer;
}

export class FactWriter {
  constructor(
    private readonly inbox: Inbox,
    private readonly intake: Intake,
  ) {}

  /** Says what the workflow found out. Saying it twice changes nothing. */
  async state(addressee: Addressee, fact: WorkflowFact): Promise<void> {
    await this.write(addressee, 'workflow', fact.kind, fact);
  }

  /** Hands in the provider's own record. */
  async record(addressee: Addressee, document: Json): Promise<void> {
    await this.write(addressee, 'record', 'record', document);
  }

  private async write(
    { account, identityHash }: Addressee,
    source: 'workflow' | 'record',
    kind: string,
    body: unknown,
  ): Promise<void> {
    await this.inbox.append({
      account,
      identity: { hash: identityHash },
      source,
      kind,
      body: Buffer.from(JSON.stringify(body)),
    });
    await this.intake.applyNow({ provider_account_id: account.id, identity_hash: identityHash });
  }
}
