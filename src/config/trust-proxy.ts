// Parses COLLOQUY_TRUST_PROXY: which proxies are believed about the address of the client (X-Forwarded-For).
import { isIP } from 'node:net';
import { z } from 'zod';

const MAX_HOPS = 10;

const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128))
  );
};

/** The value for Fastify's `trustProxy` option, which treats a plain number as 0. Addresses are safer than a number of hops. */
export const fastifyTrustProxy = (
  trusted: false | number | string[],
): false | string[] | ((address: string, hop: number) => boolean) =>
  typeof trusted === 'number' ? (_address, hop) => hop < trusted : trusted;

/** `off`, the number of proxies in front (1 to 10), or their addresses and CIDRs separated by commas. */
export const trustProxy = z
  .string()
  .default('off')
  .transform((value, context): false | number | string[] => {
    if (value === 'off') return false;
    if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_HOPS) return Number(value);
    const networks = value.split(',').map((part) => part.trim());
    if (networks.every(isNetwork)) return networks;
    context.addIssue({ code: 'custom', message: `must be off, 1 to ${MAX_HOPS} hops, or addresses and CIDRs` });
    return z.NEVER;
  });
