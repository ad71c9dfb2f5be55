// The real egress, with the hosts of a test on the operator's allow list.
import { parseEgressAllow } from '../../src/config/egress-allow.js';
import { Egress } from '../../src/egress/egress.js';
import type { EgressLimits } from '../../src/egress/limits.js';

/** host:port of URLs, as `COLLOQUY_EGRESS_ALLOW` expects them. */
export const placesOf = (...urls: string[]): string => urls.map((url) => new URL(url).host).join(',');

export const egressTo = (urls: string[], limits: Partial<EgressLimits> = {}): Egress =>
  new Egress({ allow: parseEgressAllow(placesOf(...urls)), limits });
