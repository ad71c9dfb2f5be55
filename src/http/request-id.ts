import { newUuid } from '../common/ids.js';

/** Safe in headers, logs and problem documents. */
const SAFE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's `x-request-id` if it is safe, otherwise a new one. */
export const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' && SAFE.test(header) ? header : newUuid();
