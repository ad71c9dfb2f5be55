// How processes reach Temporal: address, TLS, API key; and what a namespace must know before workflows start.
import { readFile } from 'node:fs/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { Config } from '../config/config.js';
import { required } from '../config/config.js';
import { SEARCH_ATTRIBUTE } from './settings.js';

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

/** For the API and the CLI: made at once, connects when first used. */
export async function lazyConnection(config: TemporalConfig): Promise<Connection> {
  return Connection.lazy({ ...(await optionsOf(config)), connectTimeout: '5 seconds' });
}

/** For the worker: workflows are started on the same connection, which makes eager starts possible. */
export async function nativeConnection(config: TemporalConfig): Promise<NativeConnection> {
  return NativeConnection.connect(await optionsOf(config));
}

/** gRPC status of "exists already" (https://grpc.io/docs/guides/status-codes/). */
const ALREADY_EXISTS = 6;
/** temporal.api.enums.v1.IndexedValueType.KEYWORD */
const KEYWORD = 2;

/** Registers our search attributes; those that exist stay. A new one may take some seconds to be usable. */
export async function ensureSearchAttributes(
  connection: NativeConnection | Connection,
  namespace: string,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wanted = Object.values(SEARCH_ATTRIBUTE).map(({ name }) => name);
  const missing = wanted.filter((name) => customAttributes[name] === undefined);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).catch((error: unknown) => {
    // Another worker was quicker.
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
  });
}
