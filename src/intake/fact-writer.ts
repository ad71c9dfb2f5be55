// How workflows report what they found out: a fact that is applied at once, by the same code as every other. What cannot be goes
// into the inbox like a webhook, where failures are counted.
import { Injectable } from '@nestjs/common';
import { Inbox } from '../inbox/inbox.js';
import type { FactSource } from '../inbox/inbox-fact.js';
import { factReceived } from '../observability/metrics.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { WorkflowFact } from '../reducer/fact.js';
import { Intake } from './intake.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';
import type { DirectFact } from './apply-request.js';

/** The conversation that is spoken of. */
export interface Addressee {
  account: ProviderAccount;
  identityHash: Buffer;
}

@Injectable()
export class FactWriter {
  constructor(
    private readonly inbox: Inbox,
    private readonly intake: Intake,
  ) {}

  /**
   * Reports what the workflow found out. Reporting it twice changes nothing. Resolves with where the conversation stands then;
   * null: it could not be applied now (somebody is bringing the conversation in, or it is erased).
   */
  report(addressee: Addressee, fact: WorkflowFact): Promise<StateAtRevision | null> {
    const body = bytesOf(fact);
    return this.applyDirect(
      addressee,
      { source: 'workflow', kind: fact.kind, body: JSON.parse(body.toString()) as Json },
      body,
    );
  }

  /** Hands in the provider's own record; see {@link report}. */
  record(addressee: Addressee, document: Json): Promise<StateAtRevision | null> {
    return this.applyDirect(addressee, { source: 'record', kind: 'record', body: document }, bytesOf(document));
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
      this.append(addressee, 'record', by, bytesOf(document)),
      ...statements.map((statement) => this.append(addressee, 'workflow', statement.kind, bytesOf(statement))),
    ]);
  }

  /** Applies what waits for the conversation. Throws `storage_unavailable` when it is locked for more than 2 s. */
  async apply({ account, identityHash }: Addressee): Promise<void> {
    await this.intake.applyNow({ provider_account_id: account.id, identity_hash: identityHash });
  }

  private async applyDirect(
    addressee: Addressee,
    fact: Pick<DirectFact, 'source' | 'kind' | 'body'>,
    bytes: Buffer,
  ): Promise<StateAtRevision | null> {
    const { account } = addressee;
    const keep = (): Promise<void> => this.append(addressee, fact.source, fact.kind, bytes);
    const applied = await this.intake.applyDirect(addressee, fact, bytes).catch(async (error: unknown) => {
      // It is on disk before anybody hears of the failure, and failures are counted there.
      await keep();
      throw error;
    });
    if (applied === null) {
      await keep();
      return null;
    }
    const result = applied.accepted > 0 ? 'stored' : 'duplicate';
    factReceived({ provider: account.provider, source: fact.source, event: fact.kind, result });
    return applied.stateAtRevision;
  }

  private async append(
    { account, identityHash }: Addressee,
    source: FactSource,
    kind: string,
    body: Buffer,
  ): Promise<void> {
    await this.inbox.append({ account, identity: { hash: identityHash }, source, kind, body });
  }
}

const bytesOf = (content: Json | WorkflowFact): Buffer => Buffer.from(JSON.stringify(content));
