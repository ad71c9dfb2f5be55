// Builds the API: the same for the process, the tests and whoever draws its OpenAPI document.
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
/** What requests in flight get at a stop. Then they are cut: whoever stops us waits 10 s, and pools take their time to end. */
const GRACE_MS = 7_500;

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: RouteTable;
  }
}

/**
 * The API, ready to listen or to be injected into. Databases must be reachable and migrated.
 * `close()` lets requests in flight finish for 7.5 s, cuts what is left, then ends all pools.
 */
export async function createApp(config: Config, log = new Log(config.logLevel)): Promise<NestFastifyApplication> {
  const observer = new RequestObserver(log);
  const adapter = new FastifyAdapter({
    logger: false,
    trustProxy: fastifyTrustProxy(config.trustProxy),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Nest's types do not have it.
    ...({ http: SERVER_OPTIONS } as object),
    clientErrorHandler: answerClientError,
    // Fastify's own 503 is no problem document; the first hook below answers instead.
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { maxParamLength: 512 },
    // What the router refuses never reaches a hook or Nest's filter.
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

/** Hooks and parsers in front of Nest, in the order in which they run. */
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
    // By the route that it found: the address can be spelled in other ways (`/%761/…`).
    const isOfApi = (request.routeOptions.url ?? request.url).startsWith('/v1/');
    reply.headers({ ...SECURITY_HEADERS, ...(isOfApi && NO_STORE), 'x-request-id': request.id });
    if (isClosing) throw shuttingDown();
    if (request.is404) throw routes.problemOf(request);
    await gates.access.check(request, reply);
    // What can be refused by its head is refused before its body is read.
    if (isRaw(request)) await gates.webhooks.check(request, reply);
    else checkBodyHeaders(request);
  });
}

/**
 * A connection whose last request has just ended would keep the server open for as long as its keep-alive, and one whose
 * reader has stopped reading for ever.
 */
function endConnections({ server }: FastifyInstance): void {
  const closing = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cutting = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  server.once('close', () => {
    clearInterval(closing);
    clearTimeout(cutting);
  });
}

/** For requests that come in on connections which were open before the stop. */
const shuttingDown = (): AppError =>
  new AppError('shutting_down', 'this process is stopping', { headers: { connection: 'close', 'retry-after': '2' } });
