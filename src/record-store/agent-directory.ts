// Agents are created with the first conversation that names them and take the version of their latest one; an officer may name them.
import { newUuid } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Turn } from '../providers/provider-fact.js';
import type { VaultService } from '../vault/vault.service.js';
import type { ConversationRecord } from '../reducer/record.js';
import { agentKey, type AgentIds } from './agent-ids.js';
import { sealAgent } from './sealed-agent.js';

type Agent = NonNullable<ConversationRecord['agent']>;

/** A conversation and the agents named in it. */
interface Sightings {
  ref: { clientId: string };
  account: ProviderAccount;
  after: ConversationRecord;
  turns: Turn[] | undefined;
}

/** An agent of one client: clients that share an account have separate agents. */
interface SeenAgent {
  clientId: string;
  account: ProviderAccount;
  agent: Agent;
  hash: Buffer;
  /** When the conversation began, epoch milliseconds. */
  seenAt: number;
}

/** The stored version of an agent. */
interface KnownAgent {
  id: string;
  version: string | null;
  version_seen_at: Date | null;
}

const keyOf = ({ clientId, account, agent }: SeenAgent): string =>
  agentKey({ clientId, accountId: account.id, providerAgentId: agent.providerAgentId });

/** How far the time of an unchanged version may lag behind, to save writes. */
const SAME_VERSION_MS = 3_600_000;

/** Whether the row must follow: the conversation began later, and its version differs or its time lags behind. */
const isLater = ({ agent: { version }, seenAt }: SeenAgent, known: KnownAgent): boolean => {
  const since = known.version_seen_at?.getTime() ?? -Infinity;
  return version !== null && seenAt > (version === known.version ? since + SAME_VERSION_MS : since);
};

/** Whether `one` has more detail, or as much and is newer. An agent that is only a transfer target has no name or version. */
const saysMore = (one: SeenAgent, other: SeenAgent): boolean =>
  knownAbout(one) === knownAbout(other) ? one.seenAt > other.seenAt : knownAbout(one) > knownAbout(other);
const knownAbout = ({ agent: { name, version } }: SeenAgent): number =>
  Number(name !== null) + Number(version !== null);

const FIND = `
select asked.nth::int, a.id, a.version, a.version_seen_at from unnest($1::uuid[], $2::uuid[], $3::bytea[]) with ordinality
  as asked(client_id, account_id, hash, nth)
join agents a on a.client_id = asked.client_id and a.provider_account_id = asked.account_id and a.provider_agent_hash = asked.hash`;
const INSERT = `
insert into agents (id, client_id, provider_account_id, provider_agent_hash, sealed, version, version_seen_at)
select id, client_id, account_id, hash, sealed, version, to_timestamp(ms / 1000)
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[], $7::double precision[])
  as made(id, client_id, account_id, hash, sealed, version, ms)
on conflict on constraint agents_provider_unique do update set version = agents.version
returning id, client_id, provider_account_id, provider_agent_hash`;
// Skips agents that another transaction is writing: the next conversation updates them, and nothing waits.
const FOLLOW = `
update agents a set version = later.version, version_seen_at = later.seen_at,
  revision = revision + (a.version is distinct from later.version)::int,
  updated_at = case when a.version is distinct from later.version then now() else a.updated_at end
from (
  select a.id, seen.version, to_timestamp(seen.ms / 1000) as seen_at
  from unnest($1::uuid[], $2::text[], $3::double precision[]) as seen(id, version, ms) join agents a on a.id = seen.id
  where a.version_seen_at is null or a.version_seen_at < to_timestamp(seen.ms / 1000)
  for no key update of a skip locked) as later
where a.id = later.id`;

const MAX_KNOWN = 10_000;

/** The provider's agents that a record and its turns name, each once. */
function agentsOf({ agent, header }: ConversationRecord, turns: Turn[]): Agent[] {
  const named = [
    ...header.segments.map(({ agent_id }) => agent_id),
    ...header.transfers.map(({ target }) => (target.type === 'agent' ? target.value : null)),
    ...turns.map(({ agent_id }) => agent_id),
  ];
  const others = new Set(named.filter((id): id is string => id !== null && id !== agent?.providerAgentId));
  const later = [...others].map((providerAgentId) => ({ providerAgentId, name: null, version: null }));
  return agent === null ? later : [agent, ...later];
}

/** The agents of an installation. Known agents are cached until a later version appears. */
export class AgentDirectory {
  private readonly known = new Map<string, KnownAgent>();

  constructor(private readonly vault: VaultService) {}

  /** Ids of all agents that these conversations name; new agents are created. */
  async idsFor(tx: Transaction, sightings: Sightings[]): Promise<AgentIds> {
    const ids = new Map<string, string>();
    const news = new Map<string, SeenAgent>();
    for (const sighting of sightings) {
      for (const seen of await this.seenIn(sighting)) {
        const key = keyOf(seen);
        const [known, before] = [this.known.get(key), news.get(key)];
        if (known !== undefined && !isLater(seen, known)) ids.set(key, known.id);
        else if (before === undefined || saysMore(seen, before)) news.set(key, seen);
      }
    }
    if (news.size > 0) await this.resolve(tx, [...news.values()], ids);
    return ids;
  }

  private async seenIn({ ref, account, after, turns }: Sightings): Promise<SeenAgent[]> {
    const { clientId } = ref;
    const hasher = await this.vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
    return agentsOf(after, turns ?? []).map((agent) => {
      const hash = hasher.hash('provider_id', 'agent', agent.providerAgentId);
      return { clientId, account, agent, hash, seenAt: after.startTime };
    });
  }

  private async resolve(tx: Transaction, agents: SeenAgent[], ids: Map<string, string>): Promise<void> {
    // A fixed order, so that two transactions that insert the same agents cannot deadlock.
    const sorted = agents.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const values = [
      sorted.map(({ clientId }) => clientId),
      sorted.map(({ account }) => account.id),
      sorted.map(({ hash }) => hash),
    ];
    const rows = await tx.query<KnownAgent & { nth: number }>({ name: 'agents', text: FIND, values });
    const found = new Map(rows.map((row) => [row.nth - 1, row]));
    const made = await this.make(
      tx,
      sorted.filter((_, place) => !found.has(place)),
    );
    const later: { id: string; seen: SeenAgent }[] = [];
    for (const [place, seen] of sorted.entries()) {
      const row = found.get(place);
      const id = row?.id ?? made.get(rowKey(seen.clientId, seen.account.id, seen.hash));
      if (id !== undefined) ids.set(keyOf(seen), id);
      // Cache only rows that were already committed: this transaction may still be rolled back.
      if (row !== undefined && isLater(seen, row)) later.push({ id: row.id, seen });
      else if (row !== undefined) this.remember(keyOf(seen), row);
    }
    if (later.length > 0) await this.follow(tx, later);
  }

  private remember(key: string, { id, version, version_seen_at }: KnownAgent): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(key, { id, version, version_seen_at });
  }

  private async follow(tx: Transaction, later: { id: string; seen: SeenAgent }[]): Promise<void> {
    const values = [
      later.map(({ id }) => id),
      later.map(({ seen }) => seen.agent.version),
      later.map(({ seen }) => seen.seenAt),
    ];
    await tx.query({ name: 'agent_versions', text: FOLLOW, values });
  }

  /** Creates agents, or finds those that another transaction created meanwhile; by {@link rowKey}. */
  private async make(tx: Transaction, agents: SeenAgent[]): Promise<Map<string, string>> {
    if (agents.length === 0) return new Map();
    const ids = agents.map(() => newUuid());
    const sealed = await Promise.all(
      agents.map(async ({ clientId, agent: { name, providerAgentId } }, place) =>
        sealAgent(await this.vault.clientKey(clientId), ids[place] as string, {
          name,
          provider_agent_id: providerAgentId,
        }),
      ),
    );
    const values = [
      ids,
      agents.map(({ clientId }) => clientId),
      agents.map(({ account }) => account.id),
      agents.map(({ hash }) => hash),
      sealed,
      agents.map(({ agent }) => agent.version),
      agents.map(({ agent, seenAt }) => (agent.version === null ? null : seenAt)),
    ];
    const rows = await tx.query<MadeAgent>({ name: 'agents_in', text: INSERT, values });
    return new Map(
      rows.map((row) => [rowKey(row.client_id, row.provider_account_id, row.provider_agent_hash), row.id]),
    );
  }
}

interface MadeAgent {
  id: string;
  client_id: string;
  provider_account_id: string;
  provider_agent_hash: Buffer;
}

const rowKey = (clientId: string, accountId: string, hash: Buffer): string =>
  `${clientId}|${accountId}|${hash.toString('hex')}`;
