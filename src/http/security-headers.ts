// Security headers of all responses. The documentation page has a looser policy (openapi/openapi.ts).

/** Responses are data: browsers must not guess their type, run or frame them, or send their URL as referrer. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;

/** For everything below `/v1`: responses must not be cached. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;
