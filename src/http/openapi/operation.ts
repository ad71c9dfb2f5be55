// What a route says of itself in the OpenAPI document.
import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemCode } from '../../common/errors.js';

interface Documentation {
  /** operationId: stable, for generated clients. */
  id: string;
  summary: string;
  description?: string;
  /** Status of success; default 200. */
  status?: number;
  /** Schema of the answer, or media types of an answer that is not JSON; absent: no body. */
  answer?: z.ZodType | { mediaTypes: string[] };
  /** Media types that the answer also comes in, by `Accept`. */
  alsoAs?: string[];
  /** Further statuses of success. */
  others?: Record<number, { description: string; answer?: z.ZodType; mediaTypes?: string[] }>;
  /** Problems beside those that every such route has. */
  problems?: ProblemCode[];
}

/** Documents a route and sets its status. Every route needs one: a test walks over them. */
export function Operation({
  id,
  summary,
  description,
  status = 200,
  answer,
  alsoAs = [],
  others = {},
  problems = [],
}: Documentation): MethodDecorator {
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ operationId: id, summary, ...(description !== undefined && { description }) }),
    success(status, summary, answer),
    ...Object.entries(others).map(([code, { description: told, answer: schema, mediaTypes }]) =>
      success(Number(code), told, schema ?? (mediaTypes && { mediaTypes })),
    ),
    ApiExtension('x-problems', problems),
    ApiExtension('x-also-as', alsoAs),
  );
}

function success(status: number, description: string, answer: Documentation['answer']): MethodDecorator {
  if (answer === undefined) return ApiResponse({ status, description });
  if (!('mediaTypes' in answer)) return ApiResponse({ status, description, standardSchema: answer });
  const schema = { type: 'string', format: 'binary' };
  return ApiResponse({
    status,
    description,
    content: Object.fromEntries(answer.mediaTypes.map((type) => [type, { schema }])),
  });
}
