// One attempt at requests: a transaction, and what is told once it is committed.
import type { Log } from '../common/log.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Notifier } from '../database/notifier.js';
import type { Candidate } from '../inbox/pending-facts.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import type { VaultService } from '../vault/vault.service.js';
import { AgentDirectory } from '../record-store/agent-directory.js';
import { applyRequests, type ApplyOptions } from './apply.js';
import { reportApplied } from './apply-telemetry.js';
import type { ApplyResult, ApplyRequest } from './apply-request.js';

/** How long a caller who wants its own fact applied waits for the lock. */
const LOCK_TIMEOUT = '2s';

export interface AttemptDependencies {
  vault: VaultService;
  accounts: ProviderAccounts;
  database: WorkerDatabase;
  notifier: Notifier;
  log: Log;
}

export class Attempts {
  private readonly agents: AgentDirectory;

  constructor(
    private readonly deps: AttemptDependencies,
    /** Facts came into the audio lane. */
    private readonly onAudio: () => void,
  ) {
    this.agents = new AgentDirectory(deps.vault);
  }

  async requestOf(candidate: Candidate): Promise<ApplyRequest> {
    // Before the transaction: one that holds a connection and asks for a second can starve the pool.
    return { candidate, account: await this.deps.accounts.find(candidate.provider_account_id), direct: [] };
  }

  /** Waits up to 2 s for the lock of the conversation, then throws `storage_unavailable`. */
  async alone(request: ApplyRequest, options: Omit<ApplyOptions, 'wait'>): Promise<ApplyResult | null> {
    const [applied = null] = await this.together([request], { wait: true, ...options });
    return applied;
  }

  /** Null for those whose lock could not be acquired; see {@link applyRequests}. */
  async together(requests: ApplyRequest[], options: ApplyOptions): Promise<(ApplyResult | null)[]> {
    const { database, notifier, vault } = this.deps;
    const all = await database.withScope('all', async (tx) => {
      const [, done] = await Promise.all([
        options.wait && tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` }),
        applyRequests({ vault, agents: this.agents }, tx, requests, options),
      ]);
      return done;
    });
    if (all.some((applied) => applied?.woken === true)) notifier.notify('colloquy_workflow_commands');
    if (all.some((applied) => (applied?.moved ?? 0) > 0)) this.onAudio();
    for (const applied of all) if (applied?.telemetry) reportApplied(this.deps.log, applied.telemetry);
    return all;
  }
}

/** How many facts were done with. */
export const factsOf = (all: (ApplyResult | null)[]): number =>
  all.reduce((sum, applied) => sum + (applied === null ? 0 : applied.facts + applied.moved), 0);
