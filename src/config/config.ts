// Parses the environment into typed settings, once at start. Nothing else reads process.env.
import { resolve } from 'node:path';
import { z } from 'zod';
import { parseEgressAllow, type EgressAllow } from './egress-allow.js';
import { parseObjectStoreUrl, type ObjectStoreLocation } from './object-store-url.js';
import { trustProxy } from './trust-proxy.js';

const url = (schemes: string[]) =>
  z.string().refine((value) => schemes.some((scheme) => value.startsWith(scheme)), {
    message: `must begin with ${schemes.join(' or ')}`,
  });

const bootstrapKey = z
  .string()
  .regex(/^clq_[0-9A-Za-z]{32,}$/, 'must be clq_ followed by at least 32 base62 characters')
  .optional();

const loginPassword = z
  .string()
  .regex(/^[!-~]{16,}$/, 'must be at least 16 printable ASCII characters without spaces')
  .optional();

/** Every setting; docs/configuration.md describes them. */
export const environment = z.object({
  HOST: z.string().min(1).max(255).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  COLLOQUY_DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: url(['postgres://', 'postgresql://']).optional(),
  KEYSTORE_DATABASE_URL: url(['postgres://', 'postgresql://']).optional(),
  SEARCH_DATABASE_URL: url(['postgres://', 'postgresql://']).optional(),
  COLLOQUY_API_LOGIN_PASSWORD: loginPassword,
  COLLOQUY_WORKER_LOGIN_PASSWORD: loginPassword,
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  TEMPORAL_TLS_CA_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_CERT_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_KEY_FILE: z.string().min(1).optional(),
  TEMPORAL_UI_URL: url(['http://', 'https://']).optional(),
  TEMPORAL_CLI_PATH: z.string().min(1).optional(),
  OBJECT_STORE_URL: z.string().optional(),
  // Only the region is read here; the AWS SDK reads the credentials itself.
  AWS_REGION: z.string().optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  COLLOQUY_ROOT_KEY: url(['file:']).optional(),
  COLLOQUY_BOOTSTRAP_KEY: bootstrapKey,
  COLLOQUY_BOOTSTRAP_READ_KEY: bootstrapKey,
  COLLOQUY_SIMULATORS: z.enum(['on', 'off']).default('on'),
  COLLOQUY_PUBLIC_URL: url(['http://', 'https://']).optional(),
  COLLOQUY_RATE_LIMIT: z.coerce.number().int().min(0).default(500),
  COLLOQUY_FAILED_AUTH_LIMIT: z.coerce.number().int().min(0).default(100),
  COLLOQUY_TRUST_PROXY: trustProxy,
  COLLOQUY_FOUR_EYES: z.enum(['on', 'off']).default('off'),
  COLLOQUY_KEY_LIFETIME_DAYS: z.coerce.number().int().min(1).max(36_500).optional(),
  COLLOQUY_METRICS_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  COLLOQUY_WORKER_METRICS_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  // A standard OpenTelemetry variable; its exporter reads it too.
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http://', 'https://']).optional(),
  COLLOQUY_PROVIDER_RATE: z.coerce.number().min(0.1).max(10_000).default(20),
  COLLOQUY_EGRESS_ALLOW: z.string().optional(),
  COLLOQUY_RECORDING_MAX_BYTES: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1_073_741_824),
  COLLOQUY_DRAIN_SECONDS: z.coerce.number().min(0).max(300).default(1),
  COLLOQUY_DOCS: z.enum(['on', 'off']).default('on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** Parsed settings. Paths are absolute; `publicUrl` has no trailing slash; `rateLimit` is requests per second and key, 0 = off. */
export interface Config {
  /** The address that the API listens on. */
  host: string;
  port: number;
  dataDir: string;
  databaseUrl: string | undefined;
  keystoreDatabaseUrl: string | undefined;
  searchDatabaseUrl: string | undefined;
  /** `colloquy migrate` gives the logins of the two processes these passwords. */
  loginPasswords: { api: string | undefined; worker: string | undefined };
  temporal: {
    address: string | undefined;
    namespace: string;
    apiKey: string | undefined;
    tls: { caFile: string | undefined; certFile: string | undefined; keyFile: string | undefined };
    uiUrl: string | undefined;
    cliPath: string | undefined;
  };
  /** Where sealed recordings are stored. */
  objectStore: ObjectStoreLocation;
  rootKeyFile: string;
  bootstrapKey: string | undefined;
  bootstrapReadKey: string | undefined;
  simulators: boolean;
  publicUrl: string;
  rateLimit: number;
  /** Failed authentications per minute and source address; 0 = off. */
  failedAuthLimit: number;
  /** Proxies whose X-Forwarded-For is believed: none (false), the number in front of us, or their addresses and CIDRs. */
  trustProxy: false | number | string[];
  fourEyes: boolean;
  /** Longest lifetime of a new key in days; null: unlimited. */
  keyLifetimeDays: number | null;
  /** Metrics port of the API. Undefined: none. 0: any free port. */
  metricsPort: number | undefined;
  /** Metrics port of the worker, likewise. */
  workerMetricsPort: number | undefined;
  /** Spans are exported. */
  tracing: boolean;
  /** Requests per second to one provider account, by all processes together. */
  providerRate: number;
  /** Private addresses and plain http hosts that outgoing requests may reach all the same. */
  egressAllow: EgressAllow;
  /** Size of the largest recording that is fetched. */
  recordingMaxBytes: number;
  /** Seconds between the stop signal and closing the port; `/readyz` answers 503 meanwhile. */
  drainSeconds: number;
  /** `/docs` is served. */
  docs: boolean;
  logLevel: z.infer<typeof environment>['LOG_LEVEL'];
}

/** An invalid or missing setting. The message is one line; it names the setting and never quotes its value. */
export class ConfigError extends Error {}

const filePath = (value: string | undefined, fallback: string): string =>
  resolve(value === undefined ? fallback : value.replace(/^file:(\/\/)?/, ''));

function objectStoreOf(e: z.infer<typeof environment>, dataDir: string): ObjectStoreLocation {
  try {
    const url = e.OBJECT_STORE_URL ?? `file:${dataDir}/recordings`;
    return parseObjectStoreUrl(url, e.AWS_REGION ?? e.AWS_DEFAULT_REGION);
  } catch (error) {
    throw new ConfigError(`OBJECT_STORE_URL: ${error instanceof Error ? error.message : 'does not parse'}`);
  }
}

function egressAllowOf({ COLLOQUY_EGRESS_ALLOW: value }: z.infer<typeof environment>): EgressAllow {
  try {
    return parseEgressAllow(value);
  } catch (error) {
    throw new ConfigError(`COLLOQUY_EGRESS_ALLOW: ${error instanceof Error ? error.message : 'does not parse'}`);
  }
}

/** With only one of the two, the Temporal client would silently connect without a client certificate. */
function checkClientCertificate(e: z.infer<typeof environment>): void {
  const { TEMPORAL_TLS_CERT_FILE: certificate, TEMPORAL_TLS_KEY_FILE: key } = e;
  if ((certificate === undefined) === (key === undefined)) return;
  const missing = key === undefined ? 'TEMPORAL_TLS_KEY_FILE' : 'TEMPORAL_TLS_CERT_FILE';
  throw new ConfigError(`${missing} is missing: a client certificate and its key are set together`);
}

/** Parses the environment; an empty value counts as absent. Throws {@link ConfigError} naming every invalid setting. */
export function parseConfig(env: Record<string, string | undefined>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  }
  const e = parsed.data;
  checkClientCertificate(e);
  const dataDir = resolve(e.COLLOQUY_DATA_DIR);
  return {
    host: e.HOST,
    port: e.PORT,
    dataDir,
    databaseUrl: e.DATABASE_URL,
    keystoreDatabaseUrl: e.KEYSTORE_DATABASE_URL,
    searchDatabaseUrl: e.SEARCH_DATABASE_URL,
    loginPasswords: { api: e.COLLOQUY_API_LOGIN_PASSWORD, worker: e.COLLOQUY_WORKER_LOGIN_PASSWORD },
    temporal: {
      address: e.TEMPORAL_ADDRESS,
      namespace: e.TEMPORAL_NAMESPACE,
      apiKey: e.TEMPORAL_API_KEY,
      tls: { caFile: e.TEMPORAL_TLS_CA_FILE, certFile: e.TEMPORAL_TLS_CERT_FILE, keyFile: e.TEMPORAL_TLS_KEY_FILE },
      uiUrl: e.TEMPORAL_UI_URL?.replace(/\/$/, ''),
      cliPath: e.TEMPORAL_CLI_PATH,
    },
    objectStore: objectStoreOf(e, dataDir),
    rootKeyFile: filePath(e.COLLOQUY_ROOT_KEY, `${dataDir}/root.key`),
    bootstrapKey: e.COLLOQUY_BOOTSTRAP_KEY,
    bootstrapReadKey: e.COLLOQUY_BOOTSTRAP_READ_KEY,
    simulators: e.COLLOQUY_SIMULATORS === 'on',
    publicUrl: (e.COLLOQUY_PUBLIC_URL ?? `http://127.0.0.1:${e.PORT}`).replace(/\/$/, ''),
    rateLimit: e.COLLOQUY_RATE_LIMIT,
    failedAuthLimit: e.COLLOQUY_FAILED_AUTH_LIMIT,
    trustProxy: e.COLLOQUY_TRUST_PROXY,
    fourEyes: e.COLLOQUY_FOUR_EYES === 'on',
    keyLifetimeDays: e.COLLOQUY_KEY_LIFETIME_DAYS ?? null,
    metricsPort: e.COLLOQUY_METRICS_PORT,
    workerMetricsPort: e.COLLOQUY_WORKER_METRICS_PORT,
    tracing: e.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
    providerRate: e.COLLOQUY_PROVIDER_RATE,
    egressAllow: egressAllowOf(e),
    recordingMaxBytes: e.COLLOQUY_RECORDING_MAX_BYTES,
    drainSeconds: e.COLLOQUY_DRAIN_SECONDS,
    docs: e.COLLOQUY_DOCS === 'on',
    logLevel: e.LOG_LEVEL,
  };
}

/** The value of a setting that this process needs. Throws {@link ConfigError} if it is undefined. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined)
    throw new ConfigError(`${name} is missing: set it, or let "npm run up" start an embedded one`);
  return value;
}

let loaded: Config | undefined;

/** The settings of this process, parsed on first use. */
export function config(): Config {
  return (loaded ??= parseConfig(process.env));
}
