// From a secret to its key. What the database said is held for 5 s and forgotten at once when a change of keys is heard of.
import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppError, type ProblemCode } from '../common/errors.js';
import { CONFIG } from '../config/config.module.js';
import { required, type Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import { Listener } from '../database/notifier.js';
import { hashOf, isWellFormed } from './api-key-secret.js';
import type { KnownCaller } from './caller.js';
import { authenticationFailed } from './failed-authentications.js';
import { keyLookup, type FoundKey } from './key-lookup.js';

const HELD_MS = 5_000;
/** More than this is not held: what was put in first goes first. */
const MAX_HELD = 10_000;
/** More look-ups of unknown keys than this do not wait for the database at once. */
const MAX_WAITING = 1_000;

/** Why a key is refused; a label of metrics. */
export type Refusal = 'malformed' | 'unknown' | 'retired' | 'revoked' | 'expired';

export class KeyRefused extends AppError {
  constructor(
    readonly refusal: Refusal,
    code: ProblemCode,
    detail: string,
    /** Public id of the key, where there is one. */
    readonly keyName: string | null = null,
  ) {
    super(code, detail);
  }
}

export interface Presented {
  hash: Buffer;
  name: string;
  /** It worked when it was last used here: its holder is no stranger who tries keys. */
  isKnown: boolean;
  /** It can be a key at all. */
  isWellFormed: boolean;
}

interface Held {
  found: FoundKey | null;
  /** When the database was asked, by performance.now(). */
  at: number;
}

@Injectable()
export class KeyDirectory implements OnModuleInit, BeforeApplicationShutdown {
  /** Keys that worked when they were last looked up, by hash. Stale ones stay: who had a key is no stranger. */
  private readonly good = new Map<string, Held>();
  /** What nobody has, or has no longer. */
  private readonly bad = new Map<string, Held>();
  private readonly renew: (hash: Buffer) => Promise<FoundKey | null>;
  private readonly lookUp: (hash: Buffer) => Promise<FoundKey | null>;
  private readonly listener: Listener;
  /** Names of keys of the settings: these may have any length, with or without a checksum. */
  private readonly ofSettings: ReadonlySet<string>;
  private changedAt = -Infinity;
  private waiting = 0;

  constructor(@Inject(CONFIG) config: Config, database: ApiDatabase) {
    // Two lines: keys that are in use do not wait behind invented ones.
    [this.renew, this.lookUp] = [keyLookup(database), keyLookup(database)];
    const secrets = [config.bootstrapKey, config.bootstrapReadKey].filter((key) => key !== undefined);
    this.ofSettings = new Set(secrets.map((secret) => nameOf(hashOf(secret))));
    const url = required(config.databaseUrl, 'DATABASE_URL');
    this.listener = new Listener(url, 'colloquy_api_keys', () => this.changed());
  }

  onModuleInit(): void {
    void this.listener.start();
  }

  beforeApplicationShutdown(): void {
    this.listener.stop();
  }

  /** What can be said of a secret without asking anybody. */
  recognise(secret: string): Presented {
    const hash = hashOf(secret);
    const name = nameOf(hash);
    const isKnown = this.good.has(name);
    return { hash, name, isKnown, isWellFormed: isKnown || isWellFormed(secret) || this.ofSettings.has(name) };
  }

  /** The caller behind a secret. Throws {@link KeyRefused}, `rate_limited`, `storage_unavailable`. */
  async find({ hash, name, isWellFormed: isPossible }: Presented): Promise<KnownCaller> {
    if (!isPossible) throw unknownKey('malformed');
    const held = this.good.get(name) ?? this.bad.get(name);
    const found = held !== undefined && this.isFresh(held) ? held.found : await this.ask(name, hash);
    if (found === null) throw unknownKey('unknown');
    refuseWhatEnded(found);
    return found.caller;
  }

  /** Asks the database again for every key: call after a key was changed. */
  changed(): void {
    this.changedAt = performance.now();
    this.bad.clear();
  }

  private isFresh({ at }: Held): boolean {
    return at > this.changedAt && performance.now() - at < HELD_MS;
  }

  private async ask(name: string, hash: Buffer): Promise<FoundKey | null> {
    const at = performance.now();
    const found = this.good.has(name) ? await this.renew(hash) : await this.askForStranger(hash);
    const isGood = found !== null && whyEnded(found) === null;
    this.good.delete(name);
    hold(isGood ? this.good : this.bad, name, { found, at });
    return found;
  }

  private async askForStranger(hash: Buffer): Promise<FoundKey | null> {
    if (this.waiting >= MAX_WAITING) {
      authenticationFailed('limited');
      throw new AppError('rate_limited', 'too many unknown keys at once', { headers: { 'retry-after': '1' } });
    }
    this.waiting += 1;
    try {
      return await this.lookUp(hash);
    } finally {
      this.waiting -= 1;
    }
  }
}

const nameOf = (hash: Buffer): string => hash.toString('base64');

function hold(held: Map<string, Held>, name: string, entry: Held): void {
  held.delete(name);
  const [first] = held.keys();
  if (held.size >= MAX_HELD && first !== undefined) held.delete(first);
  held.set(name, entry);
}

function whyEnded({ isRetired, isRevoked, expiresAt }: FoundKey): Refusal | null {
  if (isRevoked) return 'revoked';
  if (isRetired) return 'retired';
  return expiresAt !== null && expiresAt <= Date.now() ? 'expired' : null;
}

function refuseWhatEnded(found: FoundKey): void {
  const { keyName } = found.caller;
  const why = whyEnded(found);
  if (why === 'revoked') throw new KeyRefused(why, 'key_revoked', 'this API key was revoked', keyName);
  if (why === 'expired') throw new KeyRefused(why, 'key_expired', 'this API key has expired', keyName);
  if (why === 'retired') throw unknownKey(why, keyName);
}

const unknownKey = (refusal: Refusal, keyName: string | null = null): KeyRefused =>
  new KeyRefused(refusal, 'unauthenticated', 'the API key is missing or not known', keyName);
