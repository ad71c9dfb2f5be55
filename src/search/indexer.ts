// Keeps the search index up to date with what intake commits: claims changed conversations, opens them, writes the hashes, and
// only then removes the claim. After a crash in between, the work is repeated.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../common/errors.js';
import { errorFields, Log } from '../common/log.js';
import { publicId } from '../common/ids.js';
import { LoopedWork } from '../common/work-loop.js';
import { conversationsIndexed, indexingPostponed } from '../observability/metrics.js';
import { VaultError } from '../vault/errors.js';
import { IndexDocuments } from './index-documents.js';
import { IndexWriter, type IndexDocument } from './index-writer.js';
import { SearchTodos, type ClaimedTodo } from './search-todos.js';

const POLL_MS = 1_000;
const BATCH = 100;
/** Interval between rounds: changes that arrive meanwhile share the next round's three commits. */
const ROUND_MS = 100;

@Injectable()
export class Indexer extends LoopedWork {
  private startedAt = -Infinity;
  /** The last round failed; the services are pinged before the next one. */
  private isWaiting = false;

  constructor(
    private readonly todos: SearchTodos,
    private readonly documents: IndexDocuments,
    private readonly index: IndexWriter,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  /** Indexes one batch; resolves with how many conversations were claimed. */
  async round(): Promise<number> {
    const claimed = await this.todos.claim(BATCH);
    if (claimed.length === 0) return 0;
    try {
      await this.bringUpToDate(claimed);
    } catch (error) {
      await this.todos.release(claimed).catch(() => undefined); // the claims expire
      throw error;
    }
    return claimed.length;
  }

  protected override async runRound(): Promise<boolean> {
    await sleep(this.startedAt + ROUND_MS - performance.now());
    this.startedAt = performance.now();
    try {
      if (this.isWaiting) await Promise.all([this.index.ping(), this.documents.ping()]);
      this.isWaiting = false;
      const claimed = await this.round();
      return claimed === BATCH;
    } catch (error) {
      if (!this.isWaiting) this.log.warn('indexing failed; trying again', { err: errorFields(error) });
      this.isWaiting = true;
      return false;
    }
  }

  private async bringUpToDate(claimed: ClaimedTodo[]): Promise<void> {
    const { documents, gone, failed } = await this.documents.read(claimed.map(({ conversationId }) => conversationId));
    const failures = new Map(failed.map(({ conversationId, error }) => [conversationId, error]));
    for (const { conversationId, error } of await this.write(documents)) failures.set(conversationId, error);
    await this.index.remove(gone);
    // The documents are at least as new as the claims.
    const done = claimed.filter(({ conversationId }) => !failures.has(conversationId));
    await this.todos.remove(done);
    conversationsIndexed(done.map(({ since }) => since.getTime()));
    await this.postpone(claimed, failures);
  }

  /** Resolves with the documents that cannot be written although the search database is available. */
  private async write(documents: IndexDocument[]): Promise<{ conversationId: string; error: unknown }[]> {
    try {
      await this.index.write(documents);
      return [];
    } catch (error) {
      const [document] = documents;
      if (isUnavailable(error) || document === undefined) throw error;
      if (documents.length === 1) return [{ conversationId: document.conversationId, error }];
      const failures = [];
      for (const one of documents) failures.push(...(await this.write([one])));
      return failures;
    }
  }

  private async postpone(claimed: ClaimedTodo[], failures: Map<string, unknown>): Promise<void> {
    for (const [conversationId, error] of failures) {
      const reason = reasonOf(error);
      indexingPostponed(reason);
      this.log.warn('a conversation could not be indexed; trying again later', {
        conversation_id: publicId('conversation', conversationId),
        reason,
      });
    }
    await this.todos.postpone(claimed.filter(({ conversationId }) => failures.has(conversationId)));
  }
}

const isUnavailable = (error: unknown): boolean => error instanceof AppError && error.code === 'search_unavailable';

/** A code, because messages may quote values. */
const reasonOf = (error: unknown): string =>
  error instanceof VaultError ? error.reason : (errorFields(error).code ?? errorFields(error).name);
