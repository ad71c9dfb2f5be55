// How workflows speak: a fact into the inbox, applied at once by the same code as every other.
import type { Inbox } from '../inbox/inbox.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { WorkflowFact } from './fact.js';
import type { Intake } from './intake.js';

export type { StoredRecording, WorkflowFact } from './fact.js';

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

  /**
   * Hands in all that is known of a conversation at once, without applying it: `by` asked for the record, `statements` are
   * what came with it. Call {@link apply} when nothing more follows.
   */
  async bring(
    addressee: Addressee,
    { by, document, statements }: { by: 'backfill' | 'poll'; document: Json; statements: WorkflowFact[] },
  ): Promise<void> {
    await Promise.all([
      this.append(addressee, 'record', by, document),
      ...statements.map((statement) => this.append(addressee, 'workflow', statement.kind, statement)),
    ]);
  }

  /** Applies what waits for the conversation. Throws `storage_unavailable` when it is locked for more than 2 s. */
  async apply({ account, identityHash }: Addressee): Promise<void> {
    await this.intake.applyNow({ provider_account_id: account.id, identity_hash: identityHash });
  }

  private async write(addressee: Addressee, source: 'workflow' | 'record', kind: string, body: unknown): Promise<void> {
    await this.append(addressee, source, kind, body);
    await this.apply(addressee);
  }

  private async append(
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
  }
}
