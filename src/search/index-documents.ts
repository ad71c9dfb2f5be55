// Builds index documents: opens the headers of conversations and hashes the values in them.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { openHeaders } from '../record-store/open-headers.js';
import { VaultService } from '../vault/vault.service.js';
import { blindIndexEntriesOf } from './blind-index-entries.js';
import type { IndexDocument } from './index-writer.js';

export interface ReadDocuments {
  documents: IndexDocument[];
  /** Ids of conversations that are erased or being erased. */
  gone: string[];
  failed: { conversationId: string; error: unknown }[];
}

@Injectable()
export class IndexDocuments {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  /** Documents of the current records. Throws `storage_unavailable` and `keystore_unavailable`. */
  async read(conversationIds: readonly string[]): Promise<ReadDocuments> {
    const found: ReadDocuments = { documents: [], gone: [], failed: [] };
    for (const result of await openHeaders(this.database, this.vault, conversationIds)) {
      if (result.is === 'gone') found.gone.push(result.conversationId);
      else if (result.is === 'failed') found.failed.push(result);
      else {
        const { header, ...rest } = result.opened;
        const hasher = await this.vault.indexHasher(rest.clientId);
        found.documents.push({ ...rest, entries: blindIndexEntriesOf(header, hasher) });
      }
    }
    return found;
  }

  /** Resolves when the keystore answers. */
  ping(): Promise<void> {
    return this.vault.ping();
  }
}
