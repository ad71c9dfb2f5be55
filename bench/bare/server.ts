// Bare `node:http` servers to compare with, each in its own process.
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';
import { servePart } from '../part.js';

export type BareServerPlan =
  | { kind: 'block'; url: string; sql: string; poolSize: number }
  | { kind: 'files'; folder: string; bytes: number }
  | { kind: 'documents'; documents: Record<string, Buffer>; recording: Buffer };

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** `/<conversation>/<client>`: runs one query with these two ids and sends its only column. */
function blocks({ url, sql, poolSize }: BareServerPlan & { kind: 'block' }): Handler {
  const pool = new Pool({ connectionString: url, max: poolSize });
  return (request, response) => {
    const values = (request.url ?? '').split('/').slice(1);
    pool.query<{ sealed: Buffer }>({ name: 'block', text: sql, values }).then(
      ({ rows: [row] }) => {
        const body = row?.sealed ?? Buffer.alloc(0);
        response.writeHead(row === undefined ? 404 : 200, { 'content-length': body.length }).end(body);
      },
      () => response.writeHead(500, { 'content-length': 0 }).end(),
    );
  };
}

/** `/<file>` with a range `bytes=a-b`: a stream of the file. */
function files({ folder, bytes }: BareServerPlan & { kind: 'files' }): Handler {
  return (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), Number(to)];
    const headers = { 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${bytes}` };
    response.writeHead(206, headers);
    createReadStream(`${folder}${request.url ?? ''}`, { start, end }).pipe(response);
  };
}

/** A minimal Retell: the record of every call, and one recording for all. */
function documents({ documents: known, recording }: BareServerPlan & { kind: 'documents' }): Handler {
  return (request, response) => {
    const { url = '' } = request;
    const id = url.slice(url.lastIndexOf('/') + 1);
    const isAudio = url.startsWith('/audio/');
    const body = isAudio ? recording : known[id];
    const type = isAudio ? 'audio/wav' : 'application/json';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type, 'content-length': body?.length ?? 0 });
    response.end(body);
  };
}

function handlerOf(plan: BareServerPlan): Handler {
  switch (plan.kind) {
    case 'block':
      return blocks(plan);
    case 'files':
      return files(plan);
    case 'documents':
      return documents(plan);
  }
}

servePart(async (plan: BareServerPlan) => {
  const server = createServer(handlerOf(plan));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { ready: { port: (server.address() as AddressInfo).port }, go: () => Promise.resolve(null) };
});
