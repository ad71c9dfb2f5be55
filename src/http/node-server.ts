// What Node's HTTP server does by itself, before and after Fastify: time limits, requests that cannot be parsed, bodies that
// nobody reads.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../common/errors.js';
import { newUuid } from '../common/ids.js';
import { PROBLEM_CONTENT_TYPE, problemDocument } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** A whole request; bodies have closer limits of their own (read-body.ts). */
export const REQUEST_TIMEOUT_MS = 120_000;

export const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
};

/** A sender whose request was answered before its body came may go on for so long, and with so much, to see the answer. */
const UNREAD_MS = 5_000;
const UNREAD_BYTES = 1_048_576;

/** Cuts connections on which a body is still coming after it was answered. */
export function cutUnreadBodies(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => {
      if (!request.complete) dropRest(request);
    });
  });
}

function dropRest(request: IncomingMessage): void {
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

/** Fastify's `clientErrorHandler`: a problem document for what Node's parser refuses; nothing for who only stopped sending. */
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
  lingerOn(socket);
}

const REASONS: Record<number, string> = { 414: 'URI Too Long', 431: 'Request Header Fields Too Large' };

/** Closed at once while bytes are coming, a connection is reset, and its answer lost with it. */
function lingerOn(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.resume();
  setTimeout(() => socket.destroy(), UNREAD_MS).unref();
}

/** Node counts line and headers together: it was the line when the first bytes have no end of it. */
function tooLong({ rawPacket }: ClientError, { bytesRead }: Socket): AppError {
  const isFirst = Buffer.isBuffer(rawPacket) && bytesRead === rawPacket.length;
  return isFirst && !rawPacket.includes('\n')
    ? uriTooLong()
    : new AppError('header_too_large', 'the headers are too large');
}

export const uriTooLong = (): AppError => new AppError('uri_too_long', 'the address is too long');

const unreadable = (): AppError => new AppError('invalid_request', 'this is no HTTP request');
