// Parses request bodies: strict JSON up to 1 MiB; on raw routes the bytes themselves, up to 64 MiB, of any content type.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HeldBytes } from './bytes-in-flight.js';
import { AppError } from '../common/errors.js';
import { readBody, tooLarge } from './read-body.js';
import { parseStrictJson } from './strict-json.js';

export const JSON_LIMIT_BYTES = 1_048_576;
export const RAW_LIMIT_BYTES = 67_108_864;

/** JSON media types without a charset other than UTF-8. */
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;(?!.*charset *= *(?!"?utf-8"? *(?:;|$))).*)?$/i;

declare module 'fastify' {
  interface FastifyRequest {
    /** Counts the bytes of the body; null: they are not counted. */
    heldBytes: HeldBytes | null;
  }
}

/** Replaces Fastify's parsers; call before the first route. */
export function installBodyParser(fastify: FastifyInstance): void {
  fastify.decorateRequest('heldBytes', null);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', async (request: FastifyRequest, body: FastifyRequest['raw']) => {
    if (isRaw(request))
      return readBody(body, { maxBytes: RAW_LIMIT_BYTES, onBytes: (bytes) => request.heldBytes?.add(bytes) });
    const bytes = await readBody(body, { maxBytes: JSON_LIMIT_BYTES });
    if (bytes.length === 0) return undefined;
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) throw wrongType();
    return parseStrictJson(bytes);
  });
}

/** Whether the route declares `rawBody` in its configuration. */
export const isRaw = ({ routeOptions: { config } }: FastifyRequest): boolean =>
  config !== undefined && 'rawBody' in config && config.rawBody === true;

/**
 * Refuses a body by its headers, before it is read. Not for raw routes. Throws `unsupported_media_type`, `too_large`.
 */
export function checkBodyHeaders({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', 'bodies with a Content-Encoding are not accepted', {
      headers: { 'accept-encoding': 'identity' },
    });
  }
  if (Number(headers['content-length'] ?? 0) > JSON_LIMIT_BYTES) throw tooLarge(JSON_LIMIT_BYTES);
}

const wrongType = (): AppError =>
  new AppError('unsupported_media_type', 'this route accepts application/json in UTF-8', {
    headers: { accept: 'application/json' },
  });
