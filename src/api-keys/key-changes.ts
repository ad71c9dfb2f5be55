// Serialises changes of keys. Each change first reads the caller's key again under the lock: the cached key may be seconds
// old, and a key that has just been revoked must not create another one.
import { Injectable } from '@nestjs/common';
import { AppError } from '../common/errors.js';
import type { Transaction } from '../database/with-scope.js';
import { ApiKeyStore, type ApiKeyRow } from './api-key-store.js';
import type { Caller } from '../access/caller.js';

/** Serialises all changes of keys. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended('colloquy/api_keys', 0))";
/** Delivered at commit. NOTIFY serialises commits, but changes of keys are rare. */
const NOTIFY = "select pg_notify('colloquy_api_keys', '')";

/** Runs `work` while no other change of keys runs; other processes are notified at commit. */
export async function changeKeys<Result>(tx: Transaction, work: () => Promise<Result>): Promise<Result> {
  await tx.query({ text: LOCK });
  const result = await work();
  await tx.query({ text: NOTIFY });
  return result;
}

@Injectable()
export class KeyChanges {
  constructor(private readonly store: ApiKeyStore) {}

  /**
   * Runs `work` while no other change of keys runs, with the current row of the caller's key and the current caller. Throws
   * `unauthenticated` if the caller's secret no longer works.
   */
  runAs<Result>(
    tx: Transaction,
    caller: Caller,
    work: (holder: ApiKeyRow, current: Caller) => Promise<Result>,
  ): Promise<Result> {
    return changeKeys(tx, async () => {
      const holder = await this.store.findWorking(tx, caller);
      if (holder === undefined) throw new AppError('unauthenticated', 'this API key no longer works');
      return work(holder, { ...caller, clients: holder.all_clients ? 'all' : holder.client_ids });
    });
  }
}
