// Connections to Temporal from the settings: address, TLS, API key.
import { readFile } from 'node:fs/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { Config } from '../config/config.js';
import { required } from '../config/config.js';

type TemporalConfig = Config['temporal'];

async function optionsOf({
  address,
  apiKey,
  tls,
}: TemporalConfig): Promise<Pick<NativeConnectionOptions, 'address' | 'apiKey' | 'tls'>> {
  const read = async (path: string | undefined): Promise<Buffer | undefined> =>
    path === undefined ? undefined : readFile(path);
  const [ca, crt, key] = await Promise.all([read(tls.caFile), read(tls.certFile), read(tls.keyFile)]);
  const usesTls = ca !== undefined || crt !== undefined;
  return {
    address: required(address, 'TEMPORAL_ADDRESS'),
    ...(apiKey !== undefined && { apiKey }),
    ...(usesTls && {
      tls: { ...(ca && { serverRootCACertificate: ca }), ...(crt && key && { clientCertPair: { crt, key } }) },
    }),
  };
}

/** For the API and the CLI: returns at once and connects on first use. */
export async function lazyConnection(config: TemporalConfig): Promise<Connection> {
  return Connection.lazy({ ...(await optionsOf(config)), connectTimeout: '5 seconds' });
}

/** For the worker, which also starts workflows on it: eager starts need the same connection. */
export async function nativeConnection(config: TemporalConfig): Promise<NativeConnection> {
  return NativeConnection.connect(await optionsOf(config));
}
