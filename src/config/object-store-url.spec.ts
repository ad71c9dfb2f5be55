import { describe, expect, it } from 'vitest';
import { parseConfig } from './config.js';
import { parseObjectStoreUrl } from './object-store-url.js';

const bucket = { kind: 's3', bucket: 'calls', prefix: '', endpoint: null, region: 'eu-central-1', pathStyle: false };

describe('parseObjectStoreUrl', () => {
  it.each([
    ['s3://calls?region=eu-central-1', bucket],
    ['s3://calls/?region=eu-central-1', bucket],
    ['s3://calls/a/b/?region=eu-central-1', { ...bucket, prefix: 'a/b/' }],
    ['s3://calls?region=eu-central-1&path_style=true', { ...bucket, pathStyle: true }],
    [
      's3://calls/a?endpoint=http://store:8333',
      { ...bucket, prefix: 'a/', endpoint: 'http://store:8333', region: 'us-east-1', pathStyle: true },
    ],
    [
      's3://calls?endpoint=https%3A%2F%2Fstore.example&region=auto&path_style=false',
      { ...bucket, endpoint: 'https://store.example', region: 'auto' },
    ],
  ])('takes %s', (value, place) => {
    expect(parseObjectStoreUrl(value, undefined)).toEqual(place);
  });

  it('uses AWS_REGION unless the URL names a region', () => {
    expect(parseObjectStoreUrl('s3://calls', 'eu-north-1')).toMatchObject({ region: 'eu-north-1' });
    expect(parseObjectStoreUrl('s3://calls?region=sa-east-1', 'eu-north-1')).toMatchObject({ region: 'sa-east-1' });
  });

  it.each(['file:/data/recordings', 'file:///data/recordings'])('parses the folder of %s', (value) => {
    expect(parseObjectStoreUrl(value, undefined)).toEqual({ kind: 'folder', folder: '/data/recordings' });
  });

  it.each([
    ['gs://calls', 'must be file:'],
    ['s3:calls', 'must be file:'],
    ['s3://', 'bucket'],
    ['s3://calls', 'region'],
    ['s3://Calls_1?region=a', 'bucket'],
    ['s3://key:secret@calls?region=a', 'credentials'],
    ['s3://calls?region=a&regoin=b', 'takes endpoint'],
    ['s3://calls?region=a&region=b', 'takes endpoint'],
    ['s3://calls?endpoint=store:8333', 'endpoint'],
    ['s3://calls?endpoint=http://u:p@store', 'endpoint'],
    ['s3://calls?endpoint=http://store/path', 'endpoint'],
    ['s3://calls?region=a&path_style=yes', 'path_style'],
    ['s3://calls/a%20b?region=a', 'prefix'],
  ])('refuses %s', (value, reason) => {
    expect(() => parseObjectStoreUrl(value, undefined)).toThrow(reason);
  });
});

describe('OBJECT_STORE_URL', () => {
  it('is a folder in the data folder by default', () => {
    expect(parseConfig({ COLLOQUY_DATA_DIR: '/x' }).objectStore).toEqual({ kind: 'folder', folder: '/x/recordings' });
  });

  it('fails with one line that names the setting and not its value', () => {
    const wrong = (): unknown => parseConfig({ OBJECT_STORE_URL: 's3://key:hunter2@calls' });
    expect(wrong).toThrow(/^OBJECT_STORE_URL: /);
    expect(wrong).not.toThrow(/hunter2|\n/);
  });
});
