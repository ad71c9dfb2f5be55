// Generates the OpenAPI 3.1 document from routes and schemas, and serves it with its interactive documentation.
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import type { Config } from '../../config/config.js';
import { completeDocument } from './openapi-problems.js';

const DESCRIPTION = `The conversation system of record for AI agents: every phone call and chat, findable, accountable and erasable.

Authenticate with \`Authorization: Bearer clq_…\`. Errors are RFC 9457 problem documents with a stable \`code\`. Unknown
parameters and fields are refused. Lists are paged by \`limit\` and an opaque \`cursor\`.`;

/** The document for an initialised application. */
export function openApiDocument(app: NestFastifyApplication, { publicUrl }: Pick<Config, 'publicUrl'>): OpenAPIObject {
  const base = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Colloquy')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .addServer(publicUrl)
    .addTag('Conversations')
    .addTag('Webhooks')
    .addTag('Provider accounts')
    .addTag('Clients')
    .addTag('Agents')
    .addTag('API keys')
    .addTag('Parked facts')
    .addTag('Health')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'clq_…', description: 'An API key' }, 'api_key')
    .build();
  const document = SwaggerModule.createDocument(app, base, { standardSchemaConverter: convert });
  return completeDocument(document);
}

/** Serves `/openapi.json`, and `/docs` unless it is off. Call before the application is initialised. */
export function serveDocs(app: NestFastifyApplication, config: Pick<Config, 'publicUrl' | 'docs'>): void {
  if (config.docs) servePage(app.getHttpAdapter().getInstance(), config);
  SwaggerModule.setup('docs', app, () => openApiDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    ui: config.docs,
    customSiteTitle: 'Colloquy API',
    swaggerOptions: {
      // Otherwise the page sends the document to a validator on the internet.
      validatorUrl: null,
      // Otherwise API keys would stay in the browser's storage.
      persistAuthorization: false,
      displayOperationId: true,
    },
  });
}

/** Limits what the page may load and call: only this API, by the page's own origin or the public URL. */
function servePage(fastify: FastifyInstance, { publicUrl }: Pick<Config, 'publicUrl'>): void {
  const policy = [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:"],
    ...[
      `connect-src 'self' ${new URL(publicUrl).origin}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ],
  ].join('; ');
  fastify.addHook('onSend', async (request, reply) => {
    if (/^\/docs(?:[/?]|$)/.test(request.url)) reply.header('content-security-policy', policy);
  });
  fastify.get('/', async (_request, reply) => reply.redirect('/docs'));
}

/** Converts schemas to JSON Schema 2020-12, which OpenAPI 3.1 uses; those with an id become components. */
function convert(schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _, $defs, ...converted } = z.toJSONSchema(schema, { io: schemaType, unrepresentable: 'any' });
  return { schema: converted, components: $defs ?? {} };
}
