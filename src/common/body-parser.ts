// Bodies: JSON of 1 MiB on most routes; on raw ones the untouched bytes, 64 MiB at most, whatever they call themselves.
import type { FastifyInstance } from 'fastify';
import { routeAccess } from '../access/requires.js';
import { AppError } from './errors.js';

export const JSON_LIMIT_BYTES = 1_048_576;
export const RAW_LIMIT_BYTES = 67_108_864;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

/** Replaces Fastify's parsers; call before the first route. */
export function installBodyParser(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.addHook('onRoute', (route) => {
    if (isRaw(route.config)) route.bodyLimit = RAW_LIMIT_BYTES;
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (isRaw(request.routeOptions.config)) done(null, body);
    else if (body.length === 0) done(null, undefined);
    else if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) done(wrongType());
    else void parseJson(request, body.toString('utf8'), done);
  });
}

const isRaw = (config: unknown): boolean => {
  const access = routeAccess(config);
  return access?.kind === 'public' && access.raw;
};

const wrongType = (): AppError =>
  new AppError('unsupported_media_type', 'this route takes application/json', {
    headers: { accept: 'application/json' },
  });
