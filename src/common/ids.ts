// Public ids are TypeIDs (prefix + UUIDv7, https://github.com/jetify-com/typeid); tables hold the bare uuid.
import { createHash, randomFillSync } from 'node:crypto';
import { TypeID } from 'typeid-js';
import { v7 } from 'uuid';
import { AppError } from './errors.js';

const PREFIXES = {
  client: 'cl',
  agent: 'agt',
  providerAccount: 'pa',
  apiKey: 'key',
  conversation: 'conv',
  recording: 'rec',
  journalEntry: 'jrn',
  parkedFact: 'fact',
} as const;

export type IdKind = keyof typeof PREFIXES;

const RANDOM_BYTES = 16;
/** Random bytes for 256 uuids: a call into OpenSSL for each would cost more than the rest of making one. */
const pool = Buffer.alloc(RANDOM_BYTES * 256);
let poolAt = pool.length;
let last = { msecs: 0, seq: 0 };
const MAX_SEQ = 0xffff_ffff;

function nextRandom(): Buffer {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += RANDOM_BYTES;
  return pool.subarray(poolAt - RANDOM_BYTES, poolAt);
}

/** A new time-ordered uuid (v7); those of one process sort in the order of their creation. */
export function newUuid(): string {
  const random = nextRandom();
  const msecs = Date.now();
  if (msecs > last.msecs) last = { msecs, seq: random.readUInt32BE(6) >>> 1 };
  else if (last.seq < MAX_SEQ) last = { msecs: last.msecs, seq: last.seq + 1 };
  else last = { msecs: last.msecs + 1, seq: 0 };
  return v7({ random, ...last });
}

/** The lowest uuid that can be drawn at a time (epoch milliseconds): those before it in order were drawn before. */
export function lowestUuidAt(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** uuid → public id, such as `conv_01h…`. */
export const publicId = (kind: IdKind, uuid: string): string => TypeID.fromUUID(PREFIXES[kind], uuid).toString();

/** public id → uuid. Throws `invalid_id` if prefix or format is wrong; `parameter` names the input in the response. */
export function uuidOf(kind: IdKind, id: string, parameter = 'id'): string {
  try {
    return TypeID.fromString(id, PREFIXES[kind]).toUUID();
  } catch (cause) {
    const detail = `must be an id that begins with ${PREFIXES[kind]}_`;
    throw new AppError('invalid_id', `${parameter} ${detail}`, { errors: [{ parameter, detail }], cause });
  }
}

/**
 * A UUIDv7 derived from another one and a name: same time, hashed random bits. A repeated step (such as storing a recording
 * twice) gets the same id.
 */
export function derivedUuid(parent: string, name: string): string {
  const time = Buffer.from(parent.replaceAll('-', ''), 'hex').subarray(0, 6);
  const hash = createHash('sha256').update(`${parent}|${name}`).digest();
  const bytes = Buffer.concat([time, hash.subarray(0, 10)]);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
