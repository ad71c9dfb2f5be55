// Records facts that could not be applied: counts, parks or postpones them, with a log line and a metric by cause.
import { publicId } from '../common/ids.js';
import type { Log } from '../common/log.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import type { Lane } from '../inbox/lanes.js';
import { peekIdentity, type Candidate } from '../inbox/pending-facts.js';
import { countFailure, firstDue, postponeConversation, postponeFact } from '../inbox/failed-facts.js';
import { factParked, factsPostponed } from '../observability/metrics.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import { failureScopeOf, codeOf } from './fact-failures.js';

interface Dependencies {
  database: WorkerDatabase;
  accounts: ProviderAccounts;
  log: Log;
}

type Outcome = 'parked' | 'failed' | 'postponed' | 'gone';

const MESSAGES: Record<Outcome, string> = {
  parked: 'fact parked',
  failed: 'fact could not be applied, retrying',
  postponed: 'fact postponed, for a cause outside the fact',
  gone: 'fact was applied by another worker',
};

export class FailureRecorder {
  constructor(private readonly deps: Dependencies) {}

  /** The cause is outside the facts: postpones all due facts of a conversation. */
  async recordForConversation(candidate: Candidate, lanes: Lane[], error: unknown): Promise<void> {
    await this.record(candidate, error, async (tx) => {
      await postponeConversation(tx, candidate, lanes);
      return 'postponed';
    });
  }

  /** The first due fact of a conversation failed when applied alone. */
  async recordForFirstFact(candidate: Candidate, lanes: Lane[], error: unknown): Promise<void> {
    await this.record(candidate, error, async (tx) => {
      const id = await firstDue(tx, candidate, lanes);
      return id === undefined ? 'gone' : outcomeOf(tx, id, error);
    });
  }

  async recordForFact(candidate: Candidate, factId: string, error: unknown): Promise<void> {
    await this.record(candidate, error, (tx) => outcomeOf(tx, factId, error));
  }

  private async record(
    candidate: Candidate,
    error: unknown,
    work: (tx: Transaction) => Promise<Outcome>,
  ): Promise<void> {
    const { database, accounts, log } = this.deps;
    const reason = codeOf(error);
    const { outcome, identity } = await database.withScope('all', async (tx) => {
      const [found, done] = await Promise.all([peekIdentity(tx, candidate), work(tx)]);
      return { outcome: done, identity: found };
    });
    const about = identity === undefined ? {} : { conversation_id: publicId('conversation', identity.id) };
    log.warn(MESSAGES[outcome], { reason, ...about });
    const provider = (await accounts.find(candidate.provider_account_id))?.provider ?? 'unknown';
    if (outcome === 'parked') factParked(provider, reason);
    if (outcome === 'postponed') factsPostponed(provider, reason);
  }
}

async function outcomeOf(tx: Transaction, factId: string, error: unknown): Promise<Outcome> {
  if (failureScopeOf(error) === 'fact') return (await countFailure(tx, factId, codeOf(error))) ? 'parked' : 'failed';
  await postponeFact(tx, factId);
  return 'postponed';
}
