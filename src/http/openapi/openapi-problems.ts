// Adds what many routes share (problem responses, common headers) to the OpenAPI document.
import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from '../../common/errors.js';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: unknown;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: unknown;
  responses: Record<string, { content?: Record<string, unknown> }>;
  'x-required-rights'?: string[];
  'x-problems'?: ProblemCode[];
  'x-other-media-types'?: string[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head'] as const;

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['detail'],
        properties: { pointer: { type: 'string' }, parameter: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};

const HEADERS: Record<string, Parameter> = {
  post: header('Idempotency-Key', 'Kept 24 h: a repeated request changes nothing and gets the same response'),
  patch: header('If-Match', 'ETag of the object as read; 412 if it has changed'),
};

function header(name: string, description: string): Parameter {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

/** Adds problem responses and common headers to every operation. */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: PROBLEM_SCHEMA as never };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation !== undefined) complete(operation, { method, path });
    }
  }
  return document;
}

function complete(operation: Operation, { method, path }: { method: string; path: string }): void {
  const needsKey = operation['x-required-rights'] !== undefined;
  const common = HEADERS[method];
  if (needsKey && common !== undefined) operation.parameters = [...(operation.parameters ?? []), common];
  const codes = new Set<ProblemCode>([
    ...commonProblems({ method, path, needsKey }),
    ...(operation['x-problems'] ?? []),
  ]);
  delete operation['x-problems'];
  addMediaTypes(operation);
  for (const [status, of] of byStatus([...codes])) operation.responses[status] ??= problem(of);
  operation.responses['default'] ??= problem(['internal']);
}

/** Adds the media types that a response also comes in besides JSON. */
function addMediaTypes(operation: Operation): void {
  const content = operation.responses['200']?.content ?? {};
  for (const type of operation['x-other-media-types'] ?? []) content[type] = { schema: { type: 'string' } };
  delete operation['x-other-media-types'];
}

function commonProblems({
  method,
  path,
  needsKey,
}: {
  method: string;
  path: string;
  needsKey: boolean;
}): ProblemCode[] {
  return [
    ...(['invalid_request', 'unknown_field', 'uri_too_long', 'header_too_large'] as const),
    ...(needsKey ? (['unauthenticated', 'key_expired', 'key_revoked', 'forbidden', 'rate_limited'] as const) : []),
    ...(path.includes('{') ? (['invalid_id', 'not_found'] as const) : []),
    // A body may be sent even if the route declares none.
    ...(method === 'get' ? [] : (['too_large', 'unsupported_media_type'] as const)),
    ...(needsKey && method === 'post' ? (['idempotency_in_flight', 'idempotency_mismatch'] as const) : []),
    ...(needsKey && method === 'patch' ? (['precondition_failed'] as const) : []),
    ...(needsKey ? (['storage_unavailable', 'keystore_unavailable'] as const) : []),
    'internal',
  ];
}

function byStatus(codes: ProblemCode[]): Map<string, ProblemCode[]> {
  const statuses = new Map<string, ProblemCode[]>();
  for (const code of codes) {
    const status = String(PROBLEMS[code][0]);
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}

const problem = (codes: ProblemCode[]) => ({
  description: codes.map((code) => `\`${code}\``).join(', '),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});
