// How listed conversations are recognised: the hashes that their identity rows have, or will have.
import { identityHash, suppressionHash } from '../inbox/identity-hashes.js';
import { clientOfAgent, type ProviderAccount } from '../providers/provider-accounts.js';
import type { ListedConversation } from '../providers/provider.js';
import type { VaultService } from '../vault/vault.service.js';

/** A listed conversation as an identity row. */
export interface ListedIdentity {
  accountId: string;
  hash: Buffer;
  /** Of a new row; an existing one keeps its own. */
  clientId: string;
  suppressionHash: Buffer;
}

export interface Identified {
  listed: ListedConversation;
  identity: ListedIdentity;
}

/** In the order of the list. */
export async function identifyListed(
  vault: VaultService,
  account: ProviderAccount,
  items: ListedConversation[],
): Promise<Identified[]> {
  const [hasher, suppressionHasher] = await Promise.all([
    vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId }),
    vault.suppressionHasher(),
  ]);
  return items.map((listed) => {
    const clientId = clientOfAgent(account, listed.providerAgentId);
    const identity = {
      accountId: account.id,
      hash: identityHash(hasher, listed),
      clientId,
      suppressionHash: suppressionHash(suppressionHasher, { ...listed, clientId, provider: account.provider }),
    };
    return { listed, identity };
  });
}
