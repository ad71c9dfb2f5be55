// What can be asked of the providers over HTTP. Only the gateway imports this file (.dependency-cruiser.cjs).
import { AppError } from '../common/errors.js';
import type { Provider, ProviderApi } from './provider.js';
import * as registry from './provider-registry.js';

const byName = new Map<string, ProviderApi>(Object.values<Provider>(registry).map((api) => [api.name, api]));

/** The HTTP API of the provider of that name. Throws `unprocessable`: this build does not know it. */
export function providerApi(name: string): ProviderApi {
  const api = byName.get(name);
  if (api === undefined) throw new AppError('unprocessable', 'this installation does not know the provider');
  return api;
}
