// Maps failures of the Temporal client to the outbox's CallFailed: a code, and whether the command or the server is at fault.
import { isGrpcServiceError, NamespaceNotFoundError, ServiceError } from '@temporalio/client';
import { CallFailed } from '../outbox/call-failed.js';

/** https://grpc.io/docs/guides/status-codes/, by number. */
const STATUSES = [
  'ok',
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
];
/** Statuses that only the call itself can have caused. */
const CAUSED_BY_CALL = new Set(['invalid_argument', 'already_exists', 'out_of_range']);

/** Runs `call`; a failure of Temporal becomes {@link CallFailed}. */
export async function mapCallFailures<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): unknown {
  if (error instanceof NamespaceNotFoundError) return new CallFailed('namespace_not_found', 'server', error);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) {
    const code = STATUSES[cause.code] ?? 'unknown';
    return new CallFailed(code, CAUSED_BY_CALL.has(code) ? 'command' : 'server', error);
  }
  // The connection was closed, or could not be established.
  return error instanceof ServiceError ? new CallFailed('no_connection', 'server', error) : error;
}
