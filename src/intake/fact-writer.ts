// Accepts facts of our own, such as results of workflows. A fact is applied at once, by the same code as every other; if that is
// not possible, it goes into the inbox like a webhook, where failures are counted.
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

/** The conversation that a fact is about. */
export interface FactTarget {
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
   * Applies a fact that a workflow found out; a repeated report changes nothing. Resolves with the new state; null: it could not
   * be applied now (the conversation is being imported, or is erased).
   */
  report(target: FactTarget, fact: WorkflowFact): Promise<StateAtRevision | null> {
    const body = bytesOf(fact);
    return this.applyDirect(
      target,
      { source: 'workflow', kind: fact.kind, body: JSON.parse(body.toString()) as Json },
      body,
    );
  }

  /** Applies the provider's record; see {@link report}. */
  record(target: FactTarget, document: Json): Promise<StateAtRevision | null> {
    return this.applyDirect(target, { source: 'record', kind: 'record', body: document }, bytesOf(document));
  }

  /**
   * Appends the record that `by` fetched, and the `statements` that go with it, to the inbox without applying them. Call
   * {@link apply} afterwards.
   */
  async appendAll(
    target: FactTarget,
    { by, document, statements }: { by: 'backfill' | 'poll'; document: Json; statements: WorkflowFact[] },
  ): Promise<void> {
    await Promise.all([
      this.append(target, 'record', by, bytesOf(document)),
      ...statements.map((statement) => this.append(target, 'workflow', statement.kind, bytesOf(statement))),
    ]);
  }

  /** Applies all pending facts of the conversation. Throws `storage_unavailable` if it stays locked for more than 2 s. */
  async apply({ account, identityHash }: FactTarget): Promise<void> {
    await this.intake.applyNow({ provider_account_id: account.id, identity_hash: identityHash });
  }

  private async applyDirect(
    target: FactTarget,
    fact: Pick<DirectFact, 'source' | 'kind' | 'body'>,
    bytes: Buffer,
  ): Promise<StateAtRevision | null> {
    const { account } = target;
    const appendToInbox = (): Promise<void> => this.append(target, fact.source, fact.kind, bytes);
    const applied = await this.intake.applyDirect(target, fact, bytes).catch(async (error: unknown) => {
      // The fact is on disk before the caller sees the error; the inbox counts its failures.
      await appendToInbox();
      throw error;
    });
    if (applied === null) {
      await appendToInbox();
      return null;
    }
    const result = applied.accepted > 0 ? 'stored' : 'duplicate';
    factReceived({ provider: account.provider, source: fact.source, event: fact.kind, result });
    return applied.stateAtRevision;
  }

  private async append(
    { account, identityHash }: FactTarget,
    source: FactSource,
    kind: string,
    body: Buffer,
  ): Promise<void> {
    await this.inbox.append({ account, identity: { hash: identityHash }, source, kind, body });
  }
}

const bytesOf = (content: Json | WorkflowFact): Buffer => Buffer.from(JSON.stringify(content));
