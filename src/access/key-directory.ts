// Finds the caller behind a secret. Answers of the database are cached for 5 s, or until a NOTIFY reports a changed key.
import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppError, type ProblemCode } from '../common/errors.js';
import { CONFIG } from '../config/config.module.js';
import { required, type Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import { Listener } from '../database/notifier.js';
import { hashOf, isWellFormed } from './api-key-secret.js';
import type { KnownCaller } from './caller.js';
import { countFailedAuthentication } from './failed-authentications.js';
import { keyLookup, type FoundKey } from './key-lookup.js';

const CACHE_MS = 5_000;
/** Size of each cache; the oldest entry is evicted first. */
const MAX_CACHED = 10_000;
/** Most look-ups of unknown keys that wait for the database at once. */
const MAX_WAITING = 1_000;

/** Why a key is refused; a label of metrics. */
export type Refusal = 'malformed' | 'unknown' | 'retired' | 'revoked' | 'expired';

export class KeyRefused extends AppError {
  constructor(
    readonly refusal: Refusal,
    code: ProblemCode,
    detail: string,
    /** Public id of the key, if it is known. */
    readonly keyName: string | null = null,
  ) {
    super(code, detail);
  }
}

/** A secret that a request sent, and what this process knows about it. */
export interface PresentedKey {
  hash: Buffer;
  name: string;
  /** It was valid when this process last looked it up, so its holder is not guessing keys. */
  isKnown: boolean;
  /** It may be a key: format and checksum are right, or the settings name it. */
  isWellFormed: boolean;
}

interface CachedKey {
  found: FoundKey | null;
  /** When the database was asked, by performance.now(). */
  at: number;
}

@Injectable()
export class KeyDirectory implements OnModuleInit, BeforeApplicationShutdown {
  /** Keys that were valid when last looked up, by hash. Stale entries stay, to distinguish holders of keys from strangers. */
  private readonly valid = new Map<string, CachedKey>();
  /** Unknown, retired, revoked and expired keys, by hash. */
  private readonly refused = new Map<string, CachedKey>();
  private readonly refresh: (hash: Buffer) => Promise<FoundKey | null>;
  private readonly lookUpUnknown: (hash: Buffer) => Promise<FoundKey | null>;
  private readonly listener: Listener;
  /** Hashes of the bootstrap keys, which may have any length, with or without a checksum. */
  private readonly bootstrapKeys: ReadonlySet<string>;
  private changedAt = -Infinity;
  private waiting = 0;

  constructor(@Inject(CONFIG) config: Config, database: ApiDatabase) {
    // Two queues: keys in use do not wait behind invented ones.
    [this.refresh, this.lookUpUnknown] = [keyLookup(database), keyLookup(database)];
    const secrets = [config.bootstrapKey, config.bootstrapReadKey].filter((key) => key !== undefined);
    this.bootstrapKeys = new Set(secrets.map((secret) => nameOf(hashOf(secret))));
    const url = required(config.databaseUrl, 'DATABASE_URL');
    this.listener = new Listener(url, 'colloquy_api_keys', () => this.changed());
  }

  onModuleInit(): void {
    void this.listener.start();
  }

  beforeApplicationShutdown(): void {
    this.listener.stop();
  }

  /** What this process knows about a secret without asking the database. */
  recognise(secret: string): PresentedKey {
    const hash = hashOf(secret);
    const name = nameOf(hash);
    const isKnown = this.valid.has(name);
    return { hash, name, isKnown, isWellFormed: isKnown || isWellFormed(secret) || this.bootstrapKeys.has(name) };
  }

  /** The caller behind a secret. Throws {@link KeyRefused}, `rate_limited`, `storage_unavailable`. */
  async find({ hash, name, isWellFormed: isPossible }: PresentedKey): Promise<KnownCaller> {
    if (!isPossible) throw unknownKey('malformed');
    const cached = this.valid.get(name) ?? this.refused.get(name);
    const found = cached !== undefined && this.isFresh(cached) ? cached.found : await this.lookUp(name, hash);
    if (found === null) throw unknownKey('unknown');
    requireWorking(found);
    return found.caller;
  }

  /** Invalidates the cache; call it after a key was changed. */
  changed(): void {
    this.changedAt = performance.now();
    this.refused.clear();
  }

  private isFresh({ at }: CachedKey): boolean {
    return at > this.changedAt && performance.now() - at < CACHE_MS;
  }

  private async lookUp(name: string, hash: Buffer): Promise<FoundKey | null> {
    const at = performance.now();
    const found = this.valid.has(name) ? await this.refresh(hash) : await this.lookUpBounded(hash);
    const isValid = found !== null && refusalOf(found) === null;
    this.valid.delete(name);
    cache(isValid ? this.valid : this.refused, name, { found, at });
    return found;
  }

  private async lookUpBounded(hash: Buffer): Promise<FoundKey | null> {
    if (this.waiting >= MAX_WAITING) {
      countFailedAuthentication('limited');
      throw new AppError('rate_limited', 'too many unknown keys at once', { headers: { 'retry-after': '1' } });
    }
    this.waiting += 1;
    try {
      return await this.lookUpUnknown(hash);
    } finally {
      this.waiting -= 1;
    }
  }
}

const nameOf = (hash: Buffer): string => hash.toString('base64');

function cache(entries: Map<string, CachedKey>, name: string, entry: CachedKey): void {
  entries.delete(name);
  const [oldest] = entries.keys();
  if (entries.size >= MAX_CACHED && oldest !== undefined) entries.delete(oldest);
  entries.set(name, entry);
}

function refusalOf({ isRetired, isRevoked, expiresAt }: FoundKey): Refusal | null {
  if (isRevoked) return 'revoked';
  if (isRetired) return 'retired';
  return expiresAt !== null && expiresAt <= Date.now() ? 'expired' : null;
}

function requireWorking(found: FoundKey): void {
  const { keyName } = found.caller;
  const refusal = refusalOf(found);
  if (refusal === 'revoked') throw new KeyRefused(refusal, 'key_revoked', 'this API key was revoked', keyName);
  if (refusal === 'expired') throw new KeyRefused(refusal, 'key_expired', 'this API key has expired', keyName);
  if (refusal === 'retired') throw unknownKey(refusal, keyName);
}

const unknownKey = (refusal: Refusal, keyName: string | null = null): KeyRefused =>
  new KeyRefused(refusal, 'unauthenticated', 'the API key is unknown', keyName);
