// Finds providers in the registry. An object that does not implement Provider fails the build here.
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import type { Provider, ProviderContent } from './provider.js';
import * as registry from './provider-registry.js';

const byName = new Map(Object.values<Provider>(registry).map((provider) => [provider.name, provider]));

/** Names of all providers, sorted. */
export const providerNames = (): string[] => [...byName.keys()].sort();

/** Schema of a provider's name in requests. */
export const providerName = z.enum(providerNames());

/** The provider of that name. Throws `unprocessable` if this build does not know it. */
export function providerNamed(name: string): ProviderContent {
  const provider = byName.get(name);
  if (provider === undefined) throw new AppError('unprocessable', 'this installation does not know the provider');
  return provider;
}
