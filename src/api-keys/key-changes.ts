// Changes of keys happen one after the other, each by a key that is what it claims to be in this very moment: what a
// process remembers of it may be seconds old, and a key that was revoked in between must not leave another one behind.
import { Injectable } from '@nestjs/common';
import { AppError } from '../common/errors.js';
import type { Transaction } from '../database/with-scope.js';
import { ApiKeyStore, type ApiKeyRow } from './api-key-store.js';
import type { Caller } from '../access/caller.js';

/** Rows of keys are changed under this lock alone. */
const ALONE = "select pg_advisory_xact_lock(hashtextextended('colloquy/api_keys', 0))";
/** Heard with the commit; changes of keys are too rare for its lock to matter. */
const TELL = "select pg_notify('colloquy_api_keys', '')";

/** Runs `work` alone among all changes of keys; other processes hear of it with the commit. */
export async function changeKeys<Result>(tx: Transaction, work: () => Promise<Result>): Promise<Result> {
  await tx.query({ text: ALONE });
  const result = await work();
  await tx.query({ text: TELL });
  return result;
}

@Injectable()
export class KeyChanges {
  constructor(private readonly store: ApiKeyStore) {}

  /**
   * Runs `work` alone among all changes of keys, with the row of the caller's key and the caller as they are now. Throws
   * `unauthenticated` when the caller's secret no longer works.
   */
  by<Result>(
    tx: Transaction,
    caller: Caller,
    work: (holder: ApiKeyRow, now: Caller) => Promise<Result>,
  ): Promise<Result> {
    return changeKeys(tx, async () => {
      const holder = await this.store.working(tx, caller);
      if (holder === undefined) throw new AppError('unauthenticated', 'this API key no longer works');
      return work(holder, { ...caller, clients: holder.all_clients ? 'all' : holder.client_ids });
    });
  }
}
