// Settings and handlers of Node's HTTP server below Fastify: time limits, requests that cannot be parsed, unread bodies.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../common/errors.js';
import { newUuid } from '../common/ids.js';
import { PROBLEM_CONTENT_TYPE, problemDocument } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** For a whole request; bodies have tighter limits of their own (read-body.ts). */
export const REQUEST_TIMEOUT_MS = 120_000;

export const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
};

/** How long, and with how many bytes, a sender may go on after an early response, so that it gets to read the response. */
const UNREAD_MS = 5_000;
const UNREAD_BYTES = 1_048_576;

/** Closes connections whose request body keeps coming after the response. */
export function cutUnreadBodies(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => {
      if (!request.complete) discardRest(request);
    });
  });
}

function discardRest(request: IncomingMessage): void {
  const { socket } = request;
  const cut = setTimeout(() => socket.destroy(), UNREAD_MS).unref();
  let bytes = 0;
  request
    .on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > UNREAD_BYTES) socket.destroy();
    })
    .once('end', () => clearTimeout(cut));
}

type ClientError = Error & { code?: string; rawPacket?: unknown };

/** Fastify's `clientErrorHandler`: answers unparsable requests with a problem document; just closes aborted connections. */
export function answerClientError(error: ClientError, socket: Socket): void {
  const { code } = error;
  if (!socket.writable || code === 'ECONNRESET' || code === 'ERR_HTTP_REQUEST_TIMEOUT') return void socket.destroy();
  const problem = code === 'HPE_HEADER_OVERFLOW' ? tooLong(error, socket) : unreadable();
  const id = newUuid();
  const body = JSON.stringify(problemDocument(problem, id));
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': PROBLEM_CONTENT_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    date: new Date().toUTCString(),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}\r\n${lines.join('')}\r\n${body}`);
  closeLater(socket);
}

const REASONS: Record<number, string> = { 414: 'URI Too Long', 431: 'Request Header Fields Too Large' };

/** Closing at once while bytes arrive would reset the connection, and the sender would lose the response. */
function closeLater(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.resume();
  setTimeout(() => socket.destroy(), UNREAD_MS).unref();
}

/** Node limits request line and headers together: if the first packet has no line break, the line was too long. */
function tooLong({ rawPacket }: ClientError, { bytesRead }: Socket): AppError {
  const isFirst = Buffer.isBuffer(rawPacket) && bytesRead === rawPacket.length;
  return isFirst && !rawPacket.includes('\n')
    ? uriTooLong()
    : new AppError('header_too_large', 'the headers are too large');
}

export const uriTooLong = (): AppError => new AppError('uri_too_long', 'the URI is too long');

const unreadable = (): AppError => new AppError('invalid_request', 'the data received is not a valid HTTP request');
