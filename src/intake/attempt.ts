// One attempt at orders: a transaction, and what is told once it is committed.
import type { Log } from '../common/log.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Notifier } from '../database/notifier.js';
import type { Candidate } from '../inbox/pending-facts.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import type { VaultService } from '../vault/vault.service.js';
import { AgentDirectory } from '../record-store/agent-directory.js';
import { applyOrders, type ApplyOptions } from './apply.js';
import { tellNews } from './apply-telemetry.js';
import type { Applied, Order } from './apply-request.js';

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

  async orderOf(candidate: Candidate): Promise<Order> {
    // Before the transaction: one that holds a connection and asks for a second can starve the pool.
    return { candidate, account: await this.deps.accounts.find(candidate.provider_account_id), said: [] };
  }

  /** Waits up to 2 s for the lock of the conversation, then throws `storage_unavailable`. */
  async alone(order: Order, options: Omit<ApplyOptions, 'wait'>): Promise<Applied | null> {
    const [applied = null] = await this.together([order], { wait: true, ...options });
    return applied;
  }

  /** Null for those whose lock could not be acquired; see {@link applyOrders}. */
  async together(orders: Order[], options: ApplyOptions): Promise<(Applied | null)[]> {
    const { database, notifier, vault } = this.deps;
    const all = await database.withScope('all', async (tx) => {
      const [, done] = await Promise.all([
        options.wait && tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` }),
        applyOrders({ vault, agents: this.agents }, tx, orders, options),
      ]);
      return done;
    });
    if (all.some((applied) => applied?.woken === true)) notifier.notify('colloquy_wakes');
    if (all.some((applied) => (applied?.moved ?? 0) > 0)) this.onAudio();
    for (const applied of all) if (applied?.news) tellNews(this.deps.log, applied.news);
    return all;
  }
}

/** How many facts were done with. */
export const factsOf = (all: (Applied | null)[]): number =>
  all.reduce((sum, applied) => sum + (applied === null ? 0 : applied.facts + applied.moved), 0);
