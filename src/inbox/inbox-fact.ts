// The form of a fact that enters the inbox.
import type { ProviderAccount } from '../providers/provider-accounts.js';

export type FactSource = 'webhook' | 'record' | 'workflow';

/** A fact to append. `identity` null: the payload names no conversation; the fact is kept as unknown. */
export interface NewFact {
  account: ProviderAccount;
  identity: { providerKind: string; providerId: string; clientId: string } | { hash: Buffer } | null;
  source: FactSource;
  kind: string;
  body: Buffer;
}

/** The purpose binds a sealed body to its row, so that it cannot be opened in another row. */
export const factPurpose = (factId: string): string => `fact:${factId}`;
