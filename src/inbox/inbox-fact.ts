// A fact as it enters the inbox.
import type { ProviderAccount } from '../providers/provider-accounts.js';

export type FactSource = 'webhook' | 'record' | 'workflow';

/** What is appended. `identity` is null when the payload names no conversation: kept as unknown. */
export interface NewFact {
  account: ProviderAccount;
  identity: { providerKind: string; providerId: string; clientId: string } | { hash: Buffer } | null;
  source: FactSource;
  kind: string;
  body: Buffer;
}

/** Seals a fact's body to its own row: no other row's bytes open in its place. */
export const factPurpose = (factId: string): string => `fact:${factId}`;
