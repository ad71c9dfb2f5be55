// Builds every DataSource of the content database: for the processes (each in its role), the CLI and the tests.
import type { DataSource } from 'typeorm';
import { AccountRearmEntity } from './entities/account-rearm.entity.js';
import { AgentEntity } from './entities/agent.entity.js';
import { ApiKeyEntity, RetiredApiKeySecretEntity } from './entities/api-key.entity.js';
import { BackfillEntity } from './entities/backfill.entity.js';
import { ClientEntity } from './entities/client.entity.js';
import { ConversationIdentityEntity } from './entities/conversation-identity.entity.js';
import { ConversationEntity } from './entities/conversation.entity.js';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity.js';
import { InboxEntity, FactReceiptEntity } from './entities/inbox.entity.js';
import {
  JournalEntryEntity,
  JournalListedEntity,
  JournalPendingEntity,
  JournalSequenceEntity,
  ContentReadEntity,
} from './entities/journal-entry.entity.js';
import { LivePollEntity } from './entities/live-poll.entity.js';
import { ProviderAccountEntity } from './entities/provider-account.entity.js';
import { ProviderCircuitEntity, ProviderBudgetEntity } from './entities/provider-circuit.entity.js';
import { ReconcilerLeaseEntity, ReconcilerPassEntity } from './entities/reconciler.entity.js';
import { RecordingEntity, OrphanedObjectEntity } from './entities/recording.entity.js';
import { SearchTodoEntity } from './entities/search-todo.entity.js';
import { ConversationStateEntity, ProviderRecordEntity, TranscriptEntity } from './entities/sealed-content.entity.js';
import { WorkflowCommandEntity } from './entities/workflow-command.entity.js';
import { WebhookHealthEntity, SignatureFailuresEntity } from './entities/webhook-health.entity.js';
import { postgresSource, type SourceOptions } from './postgres-source.js';
import { CreateRoles1800000000000 } from './migrations/1800000000000-create-roles.js';
import { CreateAdministration1800000000001 } from './migrations/1800000000001-create-administration.js';
import { CreateInbox1800000000002 } from './migrations/1800000000002-create-inbox.js';
import { CreateConversations1800000000003 } from './migrations/1800000000003-create-conversations.js';
import { CreateJournal1800000000004 } from './migrations/1800000000004-create-journal.js';
import { CreateReconciliation1800000000005 } from './migrations/1800000000005-create-reconciliation.js';
import { CreateProviderHealth1800000000006 } from './migrations/1800000000006-create-provider-health.js';
import { CreateOutbox1800000000007 } from './migrations/1800000000007-create-outbox.js';

export type DatabaseRole = 'owner' | 'colloquy_api' | 'colloquy_ingest' | 'colloquy_worker';

/** All tables. test/database/drift.spec.ts compares them with the result of the migrations. */
const ENTITIES = [
  AccountRearmEntity,
  AgentEntity,
  ApiKeyEntity,
  RetiredApiKeySecretEntity,
  BackfillEntity,
  ClientEntity,
  ConversationIdentityEntity,
  ConversationEntity,
  IdempotencyKeyEntity,
  InboxEntity,
  FactReceiptEntity,
  JournalEntryEntity,
  JournalListedEntity,
  JournalPendingEntity,
  JournalSequenceEntity,
  ContentReadEntity,
  LivePollEntity,
  ProviderAccountEntity,
  ProviderCircuitEntity,
  ProviderBudgetEntity,
  ReconcilerLeaseEntity,
  ReconcilerPassEntity,
  RecordingEntity,
  OrphanedObjectEntity,
  SearchTodoEntity,
  ConversationStateEntity,
  ProviderRecordEntity,
  TranscriptEntity,
  WorkflowCommandEntity,
  WebhookHealthEntity,
  SignatureFailuresEntity,
];
const MIGRATIONS = [
  CreateRoles1800000000000,
  CreateAdministration1800000000001,
  CreateInbox1800000000002,
  CreateConversations1800000000003,
  CreateJournal1800000000004,
  CreateReconciliation1800000000005,
  CreateProviderHealth1800000000006,
  CreateOutbox1800000000007,
];

/** A DataSource whose connections use `role`. Call `initialize()` before use. */
export const createDataSource = (options: SourceOptions<DatabaseRole>): DataSource =>
  postgresSource({ ...options, entities: ENTITIES, migrations: MIGRATIONS });
