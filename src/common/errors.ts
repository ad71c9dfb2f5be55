// Every error that the API can return. Codes are stable (docs/errors.md); the exception filter sends them as RFC 9457 problems.

/** code → HTTP status and title. */
export const PROBLEMS = {
  invalid_request: [400, 'Invalid request'],
  unknown_field: [400, 'Unknown field'],
  invalid_id: [400, 'Invalid id'],
  invalid_cursor: [400, 'Invalid cursor'],
  cursor_mismatch: [400, 'Cursor belongs to another request'],
  invalid_payload: [400, 'Invalid payload'],
  unauthenticated: [401, 'Unauthenticated'],
  key_expired: [401, 'API key expired'],
  key_revoked: [401, 'API key revoked'],
  invalid_signature: [401, 'Invalid signature'],
  forbidden: [403, 'Forbidden'],
  restricted: [403, 'Conversation is restricted'],
  not_found: [404, 'Not found'],
  transcript_absent: [404, 'Transcript absent'],
  audio_absent: [404, 'Audio absent'],
  method_not_allowed: [405, 'Method not allowed'],
  not_acceptable: [406, 'Not acceptable'],
  invalid_state: [409, 'Invalid state'],
  audio_pending: [409, 'Audio pending'],
  idempotency_in_flight: [409, 'Request in flight'],
  conflict: [409, 'Conflict'],
  erased: [410, 'Erased'],
  precondition_failed: [412, 'Precondition failed'],
  too_large: [413, 'Too large'],
  uri_too_long: [414, 'URI too long'],
  unsupported_media_type: [415, 'Unsupported media type'],
  range_not_satisfiable: [416, 'Range not satisfiable'],
  idempotency_mismatch: [422, 'Idempotency key used with another body'],
  query_too_broad: [422, 'Query too broad'],
  address_not_allowed: [422, 'Address not allowed'],
  unprocessable: [422, 'Unprocessable'],
  rate_limited: [429, 'Rate limited'],
  header_too_large: [431, 'Header too large'],
  internal: [500, 'Internal error'],
  storage_unavailable: [503, 'Storage unavailable'],
  orchestrator_unavailable: [503, 'Orchestrator unavailable'],
  keystore_unavailable: [503, 'Keystore unavailable'],
  search_unavailable: [503, 'Search unavailable'],
  shutting_down: [503, 'Shutting down'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An invalid input: a JSON pointer into the body, or the name of a query or path parameter. */
export type InputError = { pointer: string; detail: string } | { parameter: string; detail: string };

interface ProblemExtras {
  errors?: InputError[];
  headers?: Record<string, string>;
  /** Further members of the problem document, such as `erased_at`. */
  members?: Record<string, unknown>;
  cause?: unknown;
}

/** A failure with a stable code. `detail` is for people and holds no content, number or secret. */
export class AppError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: InputError[] | undefined;
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.errors = extras.errors;
    this.headers = extras.headers ?? {};
    this.members = extras.members ?? {};
  }
}
