// Look-up over the registry. An object that does not meet the contract fails the build here.
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import type { Provider, ProviderContent } from './provider.js';
import * as registry from './provider-registry.js';

const byName = new Map(Object.values<Provider>(registry).map((provider) => [provider.name, provider]));

/** Names that `provider` may have, sorted. */
export const providerNames = (): string[] => [...byName.keys()].sort();

/** In requests: a provider that the registry has. */
export const providerName = z.enum(providerNames());

/** The provider of that name. Throws `unprocessable`: an account of a provider that this build does not know. */
export function providerNamed(name: string): ProviderContent {
  const provider = byName.get(name);
  if (provider === undefined) throw new AppError('unprocessable', 'this installation does not know the provider');
  return provider;
}
