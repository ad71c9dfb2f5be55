// Decorators that declare who may call a route. A /v1 route without one is closed to everybody.
import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Right } from './rights.js';

/** `rights`: any one of these rights is enough. `key`: every valid key. */
export type RouteAccess = { kind: 'rights'; anyOf: readonly Right[] } | { kind: 'key' } | { kind: 'public' };

const isRouteAccess = (value: unknown): value is RouteAccess =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  (value.kind === 'rights' || value.kind === 'key' || value.kind === 'public');

/** The declaration in a Fastify route's `config`; undefined if there is none. */
export function routeAccess(config: unknown): RouteAccess | undefined {
  if (typeof config !== 'object' || config === null || !('access' in config)) return undefined;
  return isRouteAccess(config.access) ? config.access : undefined;
}

const declare = (access: RouteAccess): MethodDecorator => RouteConfig({ access });

/** The route requires one of these rights. */
export const Requires = (...anyOf: [Right, ...Right[]]): MethodDecorator =>
  applyDecorators(
    declare({ kind: 'rights', anyOf }),
    ApiBearerAuth('api_key'),
    ApiExtension('x-required-rights', anyOf),
  );

/** The route accepts every valid key, whatever its rights. */
export const RequiresKey = (): MethodDecorator =>
  applyDecorators(declare({ kind: 'key' }), ApiBearerAuth('api_key'), ApiExtension('x-required-rights', []));

/** The route needs no key. `raw`: the body arrives as bytes, whatever its content type (src/http/body-parser.ts). */
export const Public = ({ raw = false } = {}): MethodDecorator =>
  RouteConfig({ access: { kind: 'public' } satisfies RouteAccess, ...(raw && { rawBody: true }) });
