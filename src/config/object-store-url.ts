// OBJECT_STORE_URL → where sealed recordings lie. Credentials are not part of it: they come from the usual AWS variables.
import { resolve } from 'node:path';

export interface FolderPlace {
  kind: 'folder';
  /** Absolute. */
  folder: string;
}

export interface BucketPlace {
  kind: 's3';
  bucket: string;
  /** What every key begins with: empty, or ended by a slash. */
  prefix: string;
  /** Null: Amazon's own. */
  endpoint: string | null;
  region: string;
  /** The bucket in the path instead of the host name, as most servers that are not Amazon want it. */
  pathStyle: boolean;
}

export type ObjectStorePlace = FolderPlace | BucketPlace;

const FORM = 's3://bucket[/prefix][?endpoint=https://…&region=…&path_style=true]';
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Characters that no server treats differently in a key. */
const PREFIX = /^[\w./-]*$/;
const OPTIONS = new Set(['endpoint', 'region', 'path_style']);

/**
 * Parses `file:/path` or the form of {@link FORM}. Without `region`, `fallbackRegion` (AWS_REGION) holds; with an
 * endpoint and no region, `us-east-1`, which servers that are not Amazon expect. Throws Error with one line that names
 * what is wrong and never the value.
 */
export function parseObjectStoreUrl(value: string, fallbackRegion: string | undefined): ObjectStorePlace {
  if (value.startsWith('file:')) return { kind: 'folder', folder: resolve(value.replace(/^file:(\/\/)?/, '')) };
  if (!URL.canParse(value) || !value.startsWith('s3://')) throw new Error(`must be file:/path or ${FORM}`);
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || url.port !== '' || url.hash !== '')
    throw new Error(`must have the form ${FORM}; credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
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
