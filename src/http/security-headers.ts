// On every answer. Pages loosen the policy for themselves (docs-page.ts).

/** An answer is data: a browser must not guess its type, run it, frame it, or tell others where it came from. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;

/** On everything below `/v1`: nothing of it may lie in a cache. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;
