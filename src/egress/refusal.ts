// The error for requests and responses that the egress rules refuse.

export type RefusalCode =
  /** Not https, or a private, reserved or disguised address. */
  | 'address_not_allowed'
  /** Too many redirects, or a redirect of a request other than GET. */
  | 'redirect_not_allowed'
  | 'content_type_not_allowed'
  /** Too many bytes, values or levels, or a decompression bomb. */
  | 'answer_too_large';

/** The message is only the code, so that addresses and content stay out of logs. */
export class EgressRefusal extends Error {
  constructor(readonly code: RefusalCode) {
    super(code);
    this.name = 'EgressRefusal';
  }
}

/** The refusal among the causes of an error, which a library may have wrapped; null: none. */
export function refusalIn(error: unknown): EgressRefusal | null {
  let inner = error;
  for (let depth = 0; depth < 8 && inner instanceof Error; depth += 1) {
    if (inner instanceof EgressRefusal) return inner;
    inner = inner.cause;
  }
  return null;
}
