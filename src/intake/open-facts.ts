// Opens sealed facts of the inbox and interprets them for the reducer.
import { factPurpose } from '../inbox/inbox-fact.js';
import type { PendingFact } from '../inbox/pending-facts.js';
import type { Json } from '../providers/provider-fact.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { ProviderContent } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import { storable } from '../providers/storable.js';
import { open } from '../vault/sealing/sealing.js';
import type { VaultService } from '../vault/vault.service.js';
import { workflowFactOf, type Fact } from '../reducer/fact.js';
import { attributeToFact } from './fact-failures.js';
import type { DirectFact } from './apply-request.js';

/** Opens and interprets facts of one account. Throws {@link FactFailure} if a fact itself is the cause. */
export async function openFacts(
  vault: VaultService,
  account: ProviderAccount,
  pending: PendingFact[],
): Promise<Fact[]> {
  const provider = providerNamed(account.provider);
  const owner = { providerAccountId: account.id, clientId: account.clientId };
  const facts: Fact[] = [];
  for (const row of pending) {
    const { key_day: day } = row;
    const key = day === null ? await vault.clientKey(account.clientId) : await vault.inboxKey({ ...owner, day });
    const body = attributeToFact(() => JSON.parse(open(key, factPurpose(row.id), row.sealed).toString('utf8')) as Json);
    facts.push(attributeToFact(() => interpret(provider, row, body)));
  }
  return facts;
}

/** Interprets facts of our own. Throws {@link FactFailure}. */
export function directFacts(account: ProviderAccount, direct: DirectFact[]): Fact[] {
  const provider = providerNamed(account.provider);
  return direct.map(({ receivedAt, body, ...rest }) =>
    attributeToFact(() => interpret(provider, { ...rest, received_at: receivedAt }, body)),
  );
}

type Row = Pick<PendingFact, 'source' | 'kind' | 'hash' | 'received_at'>;

function interpret(provider: ProviderContent, row: Row, body: Json): Fact {
  const received = { receivedAt: row.received_at.getTime(), hash: row.hash.toString('hex') };
  switch (row.source) {
    case 'webhook':
      return {
        ...received,
        source: 'webhook',
        event: row.kind,
        ...storable((document) => provider.interpretWebhook(document), body),
      };
    case 'record':
      return {
        ...received,
        source: 'record',
        event: row.kind,
        ...storable((document) => provider.interpretRecord(document), body),
      };
    case 'workflow': {
      const statement = workflowFactOf(body);
      return { ...received, source: 'workflow', event: statement.kind, statement };
    }
  }
}
