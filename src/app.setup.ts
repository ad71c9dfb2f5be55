// Builds the API application, for the process and for tests.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { AccessGate } from './access/access-gate.js';
import { AppModule } from './app.module.js';
import { ResponseInterceptor } from './http/response-interceptor.js';
import { AppError } from './common/errors.js';
import { checkBodyHeaders, installBodyParser, isRaw } from './http/body-parser.js';
import { InputPipe } from './http/input-pipe.js';
import { Log, NestLog } from './common/log.js';
import { answerClientError, cutUnreadBodies, REQUEST_TIMEOUT_MS, SERVER_OPTIONS } from './http/node-server.js';
import { asAppError } from './http/problem.js';
import { serveDocs } from './http/openapi/openapi.js';
import { ProblemFilter, sendProblem } from './http/problem-filter.js';
import { requestIdOf } from './http/request-id.js';
import { RouteTable } from './http/route-table.js';
import { NO_STORE, SECURITY_HEADERS } from './http/security-headers.js';
import type { Config } from './config/config.js';
import { fastifyTrustProxy } from './config/trust-proxy.js';
import { WebhookGate } from './inbox/webhook-gate.js';
import { RequestObserver } from './observability/request-observer.js';

const IDLE_CHECK_MS = 100;
/** How long requests in flight may take after a stop. An orchestrator waits 10 s, and closing the pools takes time too. */
const GRACE_MS = 7_500;

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: RouteTable;
  }
}

/**
 * Creates the API, ready for `listen()` or `inject()`. Databases must be reachable and migrated.
 * `close()` waits up to 7.5 s for requests in flight, cuts the rest, then closes all pools.
 */
export async function createApp(config: Config, log = new Log(config.logLevel)): Promise<NestFastifyApplication> {
  const observer = new RequestObserver(log);
  const adapter = new FastifyAdapter({
    logger: false,
    trustProxy: fastifyTrustProxy(config.trustProxy),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Missing in Nest's types.
    ...({ http: SERVER_OPTIONS } as object),
    clientErrorHandler: answerClientError,
    // Fastify's own 503 is not a problem document; the first hook below answers instead.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { maxParamLength: 512 },
    // Requests that the router refuses reach neither hooks nor Nest's filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      observer.begin(request, reply);
      sendProblem(asAppError(error), request, reply);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(config, log), adapter, {
    bodyParser: false,
    logger: new NestLog(log),
    abortOnError: false,
    forceCloseConnections: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  const routes = new RouteTable();
  observer.follow(fastify);
  prepareFastify(fastify, routes, { access: app.get(AccessGate), webhooks: app.get(WebhookGate) });
  observer.followCallers(fastify);
  app.useGlobalPipes(new InputPipe());
  app.useGlobalInterceptors(new ResponseInterceptor());
  app.useGlobalFilters(new ProblemFilter(log));
  serveDocs(app, config);
  await app.init();
  await fastify.ready();
  return app;
}

/** Hooks and parsers that run before Nest, in order. */
function prepareFastify(
  fastify: FastifyInstance,
  routes: RouteTable,
  gates: { access: AccessGate; webhooks: WebhookGate },
): void {
  fastify.decorate('routeTable', routes);
  fastify.decorateRequest('caller', null);
  routes.record(fastify);
  installBodyParser(fastify);
  cutUnreadBodies(fastify.server);
  let isClosing = false;
  fastify.addHook('preClose', async () => {
    isClosing = true;
    endConnections(fastify);
  });
  fastify.addHook('onRequest', async (request, reply) => {
    // Uses the matched route, since the URL can be encoded differently (`/%761/…`).
    const isOfApi = (request.routeOptions.url ?? request.url).startsWith('/v1/');
    reply.headers({ ...SECURITY_HEADERS, ...(isOfApi && NO_STORE), 'x-request-id': request.id });
    if (isClosing) throw shuttingDown();
    if (request.is404) throw routes.problemOf(request);
    await gates.access.check(request, reply);
    // Refuse by headers before the body is read.
    if (isRaw(request)) await gates.webhooks.check(request, reply);
    else checkBodyHeaders(request);
  });
}

/**
 * Without this, closing the server would wait for the keep-alive of idle connections, and forever for clients that have stopped
 * reading.
 */
function endConnections({ server }: FastifyInstance): void {
  const closing = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cutting = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  server.once('close', () => {
    clearInterval(closing);
    clearTimeout(cutting);
  });
}

/** For requests on connections that were open before the stop. */
const shuttingDown = (): AppError =>
  new AppError('shutting_down', 'this process is stopping', { headers: { connection: 'close', 'retry-after': '2' } });
