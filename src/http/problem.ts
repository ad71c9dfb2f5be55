// Converts errors to problem documents (RFC 9457, application/problem+json).
import { HttpException } from '@nestjs/common';
import { AppError, PROBLEMS, type InputError, type ProblemCode } from '../common/errors.js';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** URI of a problem type: an identifier, not necessarily a page. */
export const problemType = (code: ProblemCode): string => `https://colloquy.dev/problems/${code}`;

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  request_id: string;
  errors?: InputError[];
}

export function problemDocument(error: AppError, requestId: string): ProblemDocument & Record<string, unknown> {
  return {
    type: problemType(error.code),
    title: PROBLEMS[error.code][1],
    status: error.status,
    // Messages of internal errors are only logged.
    detail: error.code === 'internal' ? 'unexpected error; search the log for the request id' : error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors !== undefined && { errors: error.errors }),
    ...error.members,
  };
}

/** Code and detail for errors of the framework, by their HTTP status. */
const BY_STATUS: Record<number, [ProblemCode, string]> = {
  400: ['invalid_request', 'the request is malformed'],
  404: ['not_found', 'there is no such route'],
  405: ['method_not_allowed', 'this route does not support this method'],
  406: ['not_acceptable', 'none of the accepted media types is available'],
  413: ['too_large', 'the body is larger than this route accepts'],
  414: ['uri_too_long', 'the URI is too long'],
  415: ['unsupported_media_type', 'this route accepts application/json'],
  431: ['header_too_large', 'the headers are too large'],
  503: ['shutting_down', 'this process is stopping'],
};

const statusOf = (error: unknown): number | undefined => {
  if (error instanceof HttpException) return error.getStatus();
  const isFramework = error instanceof Error && 'code' in error && String(error.code).startsWith('FST_');
  return isFramework && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
};

/** SQLSTATE character_not_in_repertoire and untranslatable_character: NUL, which PostgreSQL cannot store in text. */
const isUnstorableText = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '22021' || error.code === '22P05');

/** The error that callers see: our own unchanged, the framework's by its status, everything else `internal`. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isUnstorableText(error)) {
    return new AppError('invalid_request', 'a value has characters that cannot be stored', { cause: error });
  }
  const [code, detail] = BY_STATUS[statusOf(error) ?? 500] ?? ['internal', 'unexpected'];
  return new AppError(code, detail, { cause: error });
}
