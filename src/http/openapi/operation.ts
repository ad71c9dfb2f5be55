// The decorator that documents a route in the OpenAPI document.
import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemCode } from '../../common/errors.js';

interface Documentation {
  /** operationId: stable, for generated clients. */
  id: string;
  summary: string;
  description?: string;
  /** Success status; default 200. */
  status?: number;
  /** Schema of the response body, or its media types if it is not JSON; undefined: no body. */
  response?: z.ZodType | { mediaTypes: string[] };
  /** Further media types of the response, chosen by `Accept`. */
  otherMediaTypes?: string[];
  /** Further success statuses. */
  otherStatuses?: Record<number, { description: string; response?: z.ZodType; mediaTypes?: string[] }>;
  /** Problems besides the common ones (openapi-problems.ts). */
  problems?: ProblemCode[];
}

/** Documents a route and sets its status. Required on every route; a test checks it. */
export function Operation({
  id,
  summary,
  description,
  status = 200,
  response,
  otherMediaTypes = [],
  otherStatuses = {},
  problems = [],
}: Documentation): MethodDecorator {
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ operationId: id, summary, ...(description !== undefined && { description }) }),
    success(status, summary, response),
    ...Object.entries(otherStatuses).map(([code, { description: text, response: schema, mediaTypes }]) =>
      success(Number(code), text, schema ?? (mediaTypes && { mediaTypes })),
    ),
    ApiExtension('x-problems', problems),
    ApiExtension('x-other-media-types', otherMediaTypes),
  );
}

function success(status: number, description: string, response: Documentation['response']): MethodDecorator {
  if (response === undefined) return ApiResponse({ status, description });
  if (!('mediaTypes' in response)) return ApiResponse({ status, description, standardSchema: response });
  const schema = { type: 'string', format: 'binary' };
  return ApiResponse({
    status,
    description,
    content: Object.fromEntries(response.mediaTypes.map((type) => [type, { schema }])),
  });
}
