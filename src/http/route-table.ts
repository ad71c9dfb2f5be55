// All routes as Fastify registered them: what a path allows, and the list that tests walk over.
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { AppError } from '../common/errors.js';

export interface Route {
  method: string;
  /** Pattern, such as `/v1/clients/:id`. */
  url: string;
  config: unknown;
}

export class RouteTable {
  readonly routes: Route[] = [];
  private readonly patterns = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Follows the registration of routes; call before the first one. */
  follow(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => this.add(route));
  }

  /** Methods of the routes that fit this request's path, sorted; empty when none does. */
  methodsOf(requestUrl: string): string[] {
    const path = requestUrl.split('?', 1)[0] ?? '';
    const fitting = [...this.patterns.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(fitting.flatMap(({ methods }) => [...methods]))].sort();
  }

  /** Why there is no route for a request: `not_found`, or `method_not_allowed` where its path has others. */
  missing({ url }: Pick<FastifyRequest, 'url'>): AppError {
    const allowed = this.methodsOf(url);
    if (allowed.length === 0) return new AppError('not_found', 'there is no such route');
    const headers = { allow: allowed.join(', ') };
    return new AppError('method_not_allowed', `this route takes ${allowed.join(', ')}`, { headers });
  }

  private add({ method, url, config }: RouteOptions): void {
    // Middleware and the catch-all of OPTIONS are no routes of ours.
    if (url.includes('*')) return;
    const known = this.patterns.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    this.patterns.set(url, known);
    for (const each of [method].flat()) {
      known.methods.add(each);
      this.routes.push({ method: each, url, config });
    }
  }
}

const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  );
