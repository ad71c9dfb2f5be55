// All routes that Fastify registered: the allowed methods of a path, and the list that tests iterate over.
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

  /** Records every route; call before the first one is registered. */
  record(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => this.add(route));
  }

  /** Methods of the routes that match this request's path, sorted; empty if there are none. */
  methodsOf(requestUrl: string): string[] {
    const path = requestUrl.split('?', 1)[0] ?? '';
    const matching = [...this.patterns.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  }

  /** The error for a request without a route: `not_found`, or `method_not_allowed` if its path has other methods. */
  problemOf({ url }: Pick<FastifyRequest, 'url'>): AppError {
    const allowed = this.methodsOf(url);
    if (allowed.length === 0) return new AppError('not_found', 'there is no such route');
    const headers = { allow: allowed.join(', ') };
    return new AppError('method_not_allowed', `this route allows ${allowed.join(', ')}`, { headers });
  }

  private add({ method, url, config }: RouteOptions): void {
    // Skip middleware and Fastify's catch-all for OPTIONS.
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
