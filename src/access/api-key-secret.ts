// Format of API keys: `clq_`, 32 base62 characters, and their CRC-32 in 6 more, so that secret scanners recognise them.
import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
/** Bootstrap keys may be longer and need no checksum. */
const FORMAT = /^clq_[0-9A-Za-z]{32,252}$/;
const PREFIX_LENGTH = 'clq_'.length + 8;

/** A new secret with 190 random bits. */
export function newSecret(): string {
  const secret = Array.from({ length: SECRET_LENGTH }, () => BASE62.charAt(randomInt(BASE62.length))).join('');
  return `clq_${secret}${checksumOf(secret)}`;
}

/** CRC-32 of the text in base62, zero padded to 6 characters. */
export function checksumOf(secret: string): string {
  let rest = crc32(secret);
  let text = '';
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit += 1) {
    text = BASE62.charAt(rest % BASE62.length) + text;
    rest = Math.floor(rest / BASE62.length);
  }
  return text;
}

/**
 * False for text that cannot be a key, so that the database is not asked for it. The checksum is verified if the text has
 * the length of a generated key; bootstrap keys of other lengths have none.
 */
export function isWellFormed(secret: string): boolean {
  if (!FORMAT.test(secret)) return false;
  const [text, checksum] = [secret.slice(4, 4 + SECRET_LENGTH), secret.slice(4 + SECRET_LENGTH)];
  return checksum.length !== CHECKSUM_LENGTH || checksum === checksumOf(text);
}

/** The hash that the database stores. Unsalted: a secret of 190 bits cannot be guessed. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** `clq_` and the first 8 characters: enough to distinguish keys; 143 bits stay secret. */
export const prefixOf = (secret: string): string => secret.slice(0, PREFIX_LENGTH);
