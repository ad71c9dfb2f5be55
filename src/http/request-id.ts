import { newUuid } from '../common/ids.js';

/** Harmless in headers, logs and problem documents. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's own `x-request-id` when it is sane, else a new one. */
export const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' && SANE.test(header) ? header : newUuid();
