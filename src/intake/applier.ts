// Applies requests in a transaction, and notifies and reports after the commit.
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

/** How long {@link Applier.applyOne} waits for the lock. */
const LOCK_TIMEOUT = '2s';

export interface ApplierDependencies {
  vault: VaultService;
  accounts: ProviderAccounts;
  database: WorkerDatabase;
  notifier: Notifier;
  log: Log;
}

interface ApplierListeners {
  /** Facts were moved to the audio lane. */
  onAudio: () => void;
  /** Facts were applied, perhaps with journal entries. */
  onCommit: () => void;
}

export class Applier {
  private readonly agents: AgentDirectory;

  constructor(
    private readonly deps: ApplierDependencies,
    private readonly listeners: ApplierListeners,
  ) {
    this.agents = new AgentDirectory(deps.vault);
  }

  async requestOf(candidate: Candidate): Promise<ApplyRequest> {
    // Before the transaction: holding one connection while waiting for another can exhaust the pool.
    return { candidate, account: await this.deps.accounts.find(candidate.provider_account_id), direct: [] };
  }

  /** Waits up to 2 s for the conversation's lock, then throws `storage_unavailable`. */
  async applyOne(request: ApplyRequest, options: Omit<ApplyOptions, 'wait'>): Promise<ApplyResult | null> {
    const [applied = null] = await this.applyBatch([request], { wait: true, ...options });
    return applied;
  }

  /** Null for requests whose lock could not be acquired; see {@link applyRequests}. */
  async applyBatch(requests: ApplyRequest[], options: ApplyOptions): Promise<(ApplyResult | null)[]> {
    const { database, notifier, vault } = this.deps;
    const results = await database.withScope('all', async (tx) => {
      const [, applied] = await Promise.all([
        options.wait && tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` }),
        applyRequests({ vault, agents: this.agents }, tx, requests, options),
      ]);
      return applied;
    });
    if (results.some((applied) => applied?.woken === true)) notifier.notify('colloquy_workflow_commands');
    if (results.some((applied) => applied?.reindex === true)) notifier.notify('colloquy_search');
    if (results.some((applied) => (applied?.moved ?? 0) > 0)) this.listeners.onAudio();
    if (results.some((applied) => (applied?.facts ?? 0) > 0)) this.listeners.onCommit();
    for (const applied of results) if (applied?.telemetry) reportApplied(this.deps.log, applied.telemetry);
    return results;
  }
}

/** How many facts were applied or moved to the audio lane. */
export const countFacts = (all: (ApplyResult | null)[]): number =>
  all.reduce((sum, applied) => sum + (applied === null ? 0 : applied.facts + applied.moved), 0);
