// What becomes of facts that could not be applied: counted, parked, or postponed; logged and counted by the code of the cause.
import { publicId } from '../common/ids.js';
import type { Log } from '../common/log.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import type { Lane } from '../inbox/lanes.js';
import { peekIdentity, type Candidate } from '../inbox/pending-facts.js';
import { countFailure, firstDue, postponeConversation, postponeFact } from '../inbox/put-off.js';
import { factParked, factsPostponed } from '../observability/metrics.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import { blameOf, codeOf } from './fact-failures.js';

interface PutOffDependencies {
  database: WorkerDatabase;
  accounts: ProviderAccounts;
  log: Log;
}

type Outcome = 'parked' | 'failed' | 'postponed' | 'gone';

const MESSAGES: Record<Outcome, string> = {
  parked: 'fact parked',
  failed: 'fact could not be applied; it will be tried again',
  postponed: 'fact could not be applied for a reason that is not its own; it waits',
  gone: 'fact was applied by somebody else',
};

export class PutOff {
  constructor(private readonly deps: PutOffDependencies) {}

  /** Nothing is wrong with the facts of a conversation: all that are due wait. Resolves with 0, the facts applied. */
  async conversation(candidate: Candidate, lanes: Lane[], error: unknown): Promise<0> {
    await this.putOff(candidate, error, async (tx) => {
      await postponeConversation(tx, candidate, lanes);
      return 'postponed';
    });
    return 0;
  }

  /** The first due fact of a conversation failed alone. */
  async firstFact(candidate: Candidate, lanes: Lane[], error: unknown): Promise<void> {
    await this.putOff(candidate, error, async (tx) => {
      const id = await firstDue(tx, candidate, lanes);
      return id === undefined ? 'gone' : outcomeOf(tx, id, error);
    });
  }

  /** This fact failed. */
  async fact(candidate: Candidate, factId: string, error: unknown): Promise<void> {
    await this.putOff(candidate, error, (tx) => outcomeOf(tx, factId, error));
  }

  private async putOff(
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
  if (blameOf(error) === 'fact') return (await countFailure(tx, factId, codeOf(error))) ? 'parked' : 'failed';
  await postponeFact(tx, factId);
  return 'postponed';
}
