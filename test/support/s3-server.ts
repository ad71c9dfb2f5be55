// An S3 server on a free port with its own folder: s3rver behind a proxy that simulates network faults.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

/** The only credentials that s3rver accepts. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };
const BUCKET = 'recordings';

/** What happens to a request instead of its response; null: nothing. */
export type Fault = 'refuse' | 'slow_down' | 'break_off' | 'hang' | 'late' | 'not_offered' | null;

/** Delay of a `late` response, milliseconds. */
export const LATE_MS = 9_000;

export interface S3Server {
  /** For OBJECT_STORE_URL. */
  url: string;
  /** Chooses the fault of each request; default: none. */
  faultOf: (method: string, path: string) => Fault;
  /** `METHOD /path?query` of all requests so far. */
  requests: string[];
  /** Ids of uploads that were neither completed nor aborted. */
  unfinished(): string[];
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a server with an empty bucket. Puts its credentials into this process's environment, where the SDK finds them. */
export async function startS3Server(): Promise<S3Server> {
  Object.assign(process.env, CREDENTIALS);
  const directory = mkdtempSync(join(tmpdir(), 'colloquy-s3-'));
  const s3rver = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  });
  await s3rver.configureBuckets();
  const uploads = join(directory, BUCKET, '._S3rver_uploads');
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const running: S3Server = {
    url: `s3://${BUCKET}/sealed?endpoint=http://127.0.0.1:${port}`,
    faultOf: () => null,
    requests: [],
    unfinished: () => unfinished(uploads),
    cut: () => server.closeAllConnections(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      s3rver.logger.exceptions.unhandle();
      s3rver.logger.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  serve(server, s3rver, uploads, running);
  return running;
}

const xml = (body: string): string => `<?xml version="1.0" encoding="UTF-8"?>${body}`;
const SLOW_DOWN = xml('<Error><Code>SlowDown</Code><Message>slower</Message></Error>');
const NOT_OFFERED = xml('<Error><Code>NotImplemented</Code><Message>not offered</Message></Error>');

function serve(server: Server, s3rver: S3rver, uploads: string, running: S3Server): void {
  const answer = s3rver.callback();
  server.on('request', (request, response) => {
    const { method = '', url = '' } = request;
    running.requests.push(`${method} ${url}`);
    const fault = running.faultOf(method, url);
    if (fault === 'hang') return;
    if (fault === 'late') return void setTimeout(() => answer(request, response), LATE_MS);
    if (fault === 'refuse') return void request.socket.destroy();
    if (fault === 'slow_down') return void response.writeHead(503).end(SLOW_DOWN);
    if (fault === 'not_offered') return void response.writeHead(501).end(NOT_OFFERED);
    if (fault === 'break_off') breakOff(response);
    const { searchParams } = new URL(url, 'http://s3');
    const uploadId = searchParams.get('uploadId');
    if (method === 'GET' && searchParams.has('uploads')) return void response.end(listUploads(uploads));
    if (method === 'DELETE' && uploadId !== null) return abortUpload(join(uploads, uploadId), response);
    answer(request, response);
  });
}

/** Cuts the connection in the middle of the response body. */
function breakOff(response: ServerResponse): void {
  const write = response.write.bind(response);
  let sent = 0;
  response.write = ((chunk: Buffer) => {
    sent += chunk.length;
    if (sent > 100_000) response.socket?.destroy();
    return write(chunk);
  }) as typeof response.write;
}

/** s3rver stores each unfinished upload in its own folder, but can neither list nor abort uploads. */
function listUploads(uploads: string): string {
  const listed = unfinished(uploads).map((id) => {
    const key = readFileSync(join(uploads, id, 'key'), 'utf8');
    const initiated = statSync(join(uploads, id)).mtime.toISOString();
    return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated}</Initiated></Upload>`;
  });
  return xml(
    `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${listed.join('')}</ListMultipartUploadsResult>`,
  );
}

const unfinished = (uploads: string): string[] => (existsSync(uploads) ? readdirSync(uploads) : []);

function abortUpload(folder: string, response: ServerResponse): void {
  const exists = existsSync(folder);
  rmSync(folder, { recursive: true, force: true });
  const code = 'NoSuchUpload';
  if (exists) response.writeHead(204).end();
  else response.writeHead(404).end(xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`));
}
