// Error bodies in ElevenLabs' format.
import type { ApiError } from '../http.js';

const NAMES: Record<number, string> = {
  400: 'invalid_request',
  401: 'invalid_api_key',
  404: 'not_found',
  422: 'validation_error',
  429: 'rate_limited',
};

/** `{detail: {status, message}}`; for invalid parameters `{detail: [{loc, msg, type}]}`. */
export function errorBody(error: ApiError): unknown {
  if (error.issues !== undefined) return { detail: error.issues };
  return { detail: { status: NAMES[error.status] ?? 'error', message: error.message } };
}
