// Content reads without a framework: our own services behind `node:http`, without Nest, Fastify, API keys, limits and log. What
// remains is what every read needs: conversation and identity row under row-level security, data key, journal, opening.
// Routes: `/transcript/<conversation>/<key>` and, with a range, `/audio/<conversation>/<key>`, with uuids.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { Caller } from '../../src/access/caller.js';
import { publicId } from '../../src/common/ids.js';
import { Log } from '../../src/common/log.js';
import { parseConfig, required } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ApiDatabase } from '../../src/database/database.js';
import { ContentReads } from '../../src/journal/content-reads.js';
import { openObjectStore } from '../../src/object-store/open-object-store.js';
import { RecordingIntegrity } from '../../src/recordings/recording-integrity.js';
import { RecordingStore } from '../../src/recordings/recording-store.js';
import { RecordingsService } from '../../src/recordings/recordings.service.js';
import { TranscriptsService } from '../../src/transcripts/transcripts.service.js';
import { openVault } from '../../src/vault/open-vault.js';
import { servePart } from '../part.js';

export interface BareContentPlan {
  /** Settings of an API process. */
  env: Record<string, string>;
}

interface Services {
  transcripts: TranscriptsService;
  recordings: RecordingsService;
}

/** As many connections as the API uses. */
const POOL_SIZE = 20;

async function services(env: Record<string, string>): Promise<Services> {
  const config = parseConfig(env);
  const source = createDataSource({
    url: required(config.databaseUrl, 'DATABASE_URL'),
    role: 'colloquy_api',
    poolSize: POOL_SIZE,
  });
  const database = new ApiDatabase(await source.initialize());
  const keystoreUrl = required(config.keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL');
  const vault = await openVault({ keystoreUrl, rootKeyFile: config.rootKeyFile });
  const reads = new ContentReads(database);
  const store = new RecordingStore(await openObjectStore(config));
  const integrity = new RecordingIntegrity(database, new Log('silent'));
  return {
    transcripts: new TranscriptsService(database, vault, reads),
    recordings: new RecordingsService(database, vault, reads, store, integrity),
  };
}

const callerOf = (keyId: string): Caller => ({
  keyId,
  keyName: publicId('apiKey', keyId),
  role: 'supervisor',
  clients: 'all',
  rights: new Set(),
  secretHash: Buffer.alloc(32),
  isAwaitingApproval: false,
  source: { address: '127.0.0.1', tag: 'bench', userAgent: undefined, requestId: 'bench' },
});

async function answer({ transcripts, recordings }: Services, request: IncomingMessage, response: ServerResponse) {
  const [, kind, id = '', keyId = ''] = (request.url ?? '').split('/');
  const caller = callerOf(keyId);
  if (kind === 'transcript') {
    const body = await transcripts.openAsJson(caller, await transcripts.find(caller, id));
    response.writeHead(200, { 'content-length': body.length }).end(body);
    return;
  }
  const recording = await recordings.find(caller, id, undefined);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const [start, end] = [Number(from), Number(to)];
  const content = await recordings.read(caller, recording, start, end);
  response.writeHead(206, { 'content-length': end - start + 1 });
  if (Buffer.isBuffer(content)) response.end(content);
  else pipeline(content, response, () => undefined);
}

servePart(async ({ env }: BareContentPlan) => {
  const ours = await services(env);
  const server = createServer((request, response) => {
    answer(ours, request, response).catch(() => response.writeHead(500, { 'content-length': 0 }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { ready: { port: (server.address() as AddressInfo).port }, go: () => Promise.resolve(null) };
});
