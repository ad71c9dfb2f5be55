// A request that our own rules refuse, or an answer that they do not let in.

export type RefusalCode =
  /** Not https, private, reserved, or oddly spelled. */
  | 'address_not_allowed'
  /** Too many redirects, or one that would send a body elsewhere. */
  | 'redirect_not_allowed'
  | 'content_type_not_allowed'
  /** More bytes, values or levels than are taken; also what unpacks out of all proportion. */
  | 'answer_too_large';

/** The message is the code: addresses and contents stay out of logs. */
export class EgressRefusal extends Error {
  constructor(readonly code: RefusalCode) {
    super(code);
    this.name = 'EgressRefusal';
  }
}

/** The refusal below an error that a library put around it; null: there is none. */
export function refusalIn(error: unknown): EgressRefusal | null {
  let inner = error;
  for (let depth = 0; depth < 8 && inner instanceof Error; depth += 1) {
    if (inner instanceof EgressRefusal) return inner;
    inner = inner.cause;
  }
  return null;
}
