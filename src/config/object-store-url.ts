// Parses OBJECT_STORE_URL: where sealed recordings are stored. Credentials come from the usual AWS variables, never from the URL.
import { resolve } from 'node:path';

export interface FolderLocation {
  kind: 'folder';
  /** Absolute path. */
  folder: string;
}

export interface BucketLocation {
  kind: 's3';
  bucket: string;
  /** Prefix of every object key: empty, or ending in a slash. */
  prefix: string;
  /** Null: Amazon S3. */
  endpoint: string | null;
  region: string;
  /** Whether the bucket is in the path instead of the host name, as most other S3 servers expect. */
  pathStyle: boolean;
}

export type ObjectStoreLocation = FolderLocation | BucketLocation;

const FORMAT = 's3://bucket[/prefix][?endpoint=https://…&region=…&path_style=true]';
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Only characters that every S3 server treats alike. */
const PREFIX = /^[\w./-]*$/;
const OPTIONS = new Set(['endpoint', 'region', 'path_style']);

/**
 * Parses `file:/path` or {@link FORMAT}. Without `region`, `fallbackRegion` (AWS_REGION) applies; with an endpoint and
 * neither, `us-east-1`, which other S3 servers expect. Throws Error with a one-line message that never quotes the value.
 */
export function parseObjectStoreUrl(value: string, fallbackRegion: string | undefined): ObjectStoreLocation {
  if (value.startsWith('file:')) return { kind: 'folder', folder: resolve(value.replace(/^file:(\/\/)?/, '')) };
  if (!URL.canParse(value) || !value.startsWith('s3://')) throw new Error(`must be file:/path or ${FORMAT}`);
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || url.port !== '' || url.hash !== '')
    throw new Error(`must have the form ${FORMAT}; credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  if (!BUCKET.test(url.hostname))
    throw new Error('the bucket must be 3 to 63 lower-case letters, digits, dots, hyphens');
  for (const name of url.searchParams.keys())
    if (!OPTIONS.has(name) || url.searchParams.getAll(name).length > 1)
      throw new Error(`takes ${[...OPTIONS].join(', ')} once each, and nothing else`);
  const endpoint = endpointOf(url.searchParams.get('endpoint'));
  const region = url.searchParams.get('region') ?? fallbackRegion ?? (endpoint === null ? undefined : 'us-east-1');
  if (!/^[a-z0-9-]+$/.test(region ?? '')) throw new Error('needs a region: add ?region=… or set AWS_REGION');
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: prefixOf(url.pathname),
    endpoint,
    region: region ?? '',
    pathStyle: flagOf(url.searchParams.get('path_style'), endpoint !== null),
  };
}

function prefixOf(path: string): string {
  const prefix = path.replace(/^\/+|\/+$/g, '');
  if (!PREFIX.test(prefix) || prefix.split('/').some((part) => part === '.' || part === '..'))
    throw new Error('the prefix must be letters, digits, dots, hyphens, underscores and slashes');
  return prefix === '' ? '' : `${prefix}/`;
}

function endpointOf(value: string | null): string | null {
  if (value === null) return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!url || !isPlain || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/')
    throw new Error('the endpoint must be http://host:port or https://host:port');
  return url.origin;
}

function flagOf(value: string | null, fallback: boolean): boolean {
  if (value === null) return fallback;
  if (value !== 'true' && value !== 'false') throw new Error('path_style must be true or false');
  return value === 'true';
}
