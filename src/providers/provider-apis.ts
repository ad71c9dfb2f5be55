// The HTTP APIs of the providers. Only the gateway may import this file (.dependency-cruiser.cjs).
import { AppError } from '../common/errors.js';
import type { Provider, ProviderApi } from './provider.js';
import * as registry from './provider-registry.js';

const byName = new Map<string, ProviderApi>(Object.values<Provider>(registry).map((api) => [api.name, api]));

/** The HTTP API of a provider. Throws `unprocessable` if this build does not know the provider. */
export function providerApi(name: string): ProviderApi {
  const api = byName.get(name);
  if (api === undefined) throw new AppError('unprocessable', 'this installation does not know the provider');
  return api;
}
