// The keyed hashes by which an identity row recognises a conversation. Pure.
import type { BlindIndexHasher } from '../vault/blind-index-hasher.js';

/** A conversation as its provider identifies it. */
export interface ProviderConversation {
  providerKind: string;
  providerId: string;
}

/** Within one provider account, by the hasher of that account. */
export const identityHash = (hasher: BlindIndexHasher, { providerKind, providerId }: ProviderConversation): Buffer =>
  hasher.hash('provider_id', providerKind, providerId);

/** The same in every account of a client, by the hasher of the installation; see suppression.ts. */
export const suppressionHash = (
  hasher: BlindIndexHasher,
  { clientId, provider, providerKind, providerId }: ProviderConversation & { clientId: string; provider: string },
): Buffer => hasher.hash('suppression', clientId, provider, providerKind, providerId);
