// The one place that builds a DataSource: for the processes (each as its role), the CLI and the tests.
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { LIMITS, timeouts } from './limits.js';
import { watchedBy } from './watched-client.js';
import { CreateRoles1790000000000 } from './migrations/1790000000000-create-roles.js';
import { CreateAdministration1790000000001 } from './migrations/1790000000001-create-administration.js';
import { CreateInbox1790000000002 } from './migrations/1790000000002-create-inbox.js';
import { CreateConversations1790000000003 } from './migrations/1790000000003-create-conversations.js';
import { CreateJournal1790000000004 } from './migrations/1790000000004-create-journal.js';
import { CreateBackfills1790000000005 } from './migrations/1790000000005-create-backfills.js';
import { AddTraces1790000000007 } from './migrations/1790000000007-add-traces.js';
import { AddUnfinishedWork1790000000008 } from './migrations/1790000000008-add-unfinished-work.js';
import { AddSkippedReasons1790000000009 } from './migrations/1790000000009-add-skipped-reasons.js';
import { AddLooseObjects1790000000010 } from './migrations/1790000000010-add-loose-objects.js';
import { DropTranscriptFinal1790000000011 } from './migrations/1790000000011-drop-transcript-final.js';
import { OrderInbox1790000000012 } from './migrations/1790000000012-order-inbox.js';
import { FollowAgentVersions1790000000013 } from './migrations/1790000000013-follow-agent-versions.js';
import { ShareOutInbox1790000000020 } from './migrations/1790000000020-share-out-inbox.js';
import { RetryParkedFactsTogether1790000000021 } from './migrations/1790000000021-retry-parked-facts-together.js';
import { CreateLogins1790000000030 } from './migrations/1790000000030-create-logins.js';
import { CreateLivePolls1790000000040 } from './migrations/1790000000040-create-live-polls.js';
import { CreateProviderCircuits1790000000050 } from './migrations/1790000000050-create-provider-circuits.js';
import { RearmConversations1790000000051 } from './migrations/1790000000051-rearm-conversations.js';
import { CreateWebhookHealth1790000000080 } from './migrations/1790000000080-create-webhook-health.js';
import { RetireApiKeySecrets1790000000070 } from './migrations/1790000000070-retire-api-key-secrets.js';

export type DatabaseRole = 'owner' | 'colloquy_api' | 'colloquy_ingest' | 'colloquy_worker';

const CONNECT_TIMEOUT_MS = 5_000;

interface DataSourceOptions {
  url: string;
  /** The role that every connection drops to at once; `owner` stays what the URL logs in as (migrations). */
  role: DatabaseRole;
  poolSize: number;
  applicationName?: string;
}

/** A DataSource whose connections work as `role`. Call `initialize()` before use. */
export function createDataSource({ url, role, poolSize, applicationName }: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [
      CreateRoles1790000000000,
      CreateAdministration1790000000001,
      CreateInbox1790000000002,
      CreateConversations1790000000003,
      CreateJournal1790000000004,
      CreateBackfills1790000000005,
      AddTraces1790000000007,
      AddUnfinishedWork1790000000008,
      AddSkippedReasons1790000000009,
      AddLooseObjects1790000000010,
      DropTranscriptFinal1790000000011,
      OrderInbox1790000000012,
      FollowAgentVersions1790000000013,
      ShareOutInbox1790000000020,
      RetryParkedFactsTogether1790000000021,
      CreateLogins1790000000030,
      CreateLivePolls1790000000040,
      CreateProviderCircuits1790000000050,
      RearmConversations1790000000051,
      CreateWebhookHealth1790000000080,
      RetireApiKeySecrets1790000000070,
    ],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'all',
    poolSize,
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: applicationName ?? role,
    extra: role === 'owner' ? {} : sessionOf(role),
  });
}

/** What the connections of a process are like. Pipelined: BEGIN, the scope and the first query travel in one round trip. */
function sessionOf(role: Exclude<DatabaseRole, 'owner'>): object {
  const limits = LIMITS[role];
  return { options: `-c role=${role}`, pipeline: true, ...timeouts(limits), Client: watchedBy({ ...limits }) };
}
