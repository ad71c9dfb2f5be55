// Puts the parts of reconciliation together for a worker.
import type { Log } from '../common/log.js';
import type { ConversationSnapshot } from '../lifecycle/conversation-snapshot.js';
import type { WorkerDatabase } from '../database/database.js';
import type { FactWriter } from '../intake/fact-writer.js';
import type { ProviderGateway } from '../providers/gateway/gateway.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import type { RecordingStore } from '../recordings/recording-store.js';
import type { VaultService } from '../vault/vault.service.js';
import { BackfillStore } from './backfill-store.js';
import { BackfillWalk } from './backfill-walk.js';
import { ListedIdentities } from './listed-identities.js';
import { Importer } from './importer.js';
import { ListedConversations } from './listed-conversations.js';
import { DuePolls } from './due-polls.js';
import { LivePoll } from './live-poll.js';
import { PollLeases } from './poll-leases.js';

interface Parts {
  database: WorkerDatabase;
  vault: VaultService;
  accounts: ProviderAccounts;
  facts: FactWriter;
  store: RecordingStore;
  read(conversationId: string): Promise<ConversationSnapshot | null>;
  gateway: ProviderGateway;
  log: Log;
}

export function openReconciliation(parts: Parts): { backfill: BackfillWalk; polls: DuePolls } {
  const { database, vault, facts, store, gateway } = parts;
  const identities = new ListedIdentities(database);
  const importer = new Importer({ identities, gateway, facts, store, vault });
  const shared = { ...parts, identities, importer };
  const conversations = new ListedConversations(shared);
  const backfill = new BackfillWalk({ ...shared, conversations, store: new BackfillStore(database, vault) });
  const polls = new DuePolls({ ...parts, leases: new PollLeases(database), poll: new LivePoll(shared) });
  return { backfill, polls };
}
