// Reads conversations: within the key's clients; content reads are journaled before sealed fields are opened.
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { etagOf, isUnchanged, list, type List } from '../http/api-response.js';
import { ApiResponse } from '../http/api-response.js';
import { Cursors, fingerprintOf } from '../http/cursor.js';
import { AppError } from '../common/errors.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import { headerClasses, openHeader } from '../record-store/open-header.js';
import { ContentReads } from '../journal/content-reads.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { VaultService } from '../vault/vault.service.js';
import type { ConversationFilter } from './conversation-filters.js';
import { ACTIVE_LIMIT, countTotal, findActive, findPage, type Total } from './conversation-list.js';
import { findConversation, refuseRestricted, type ConversationRow } from './conversation-row.js';
import { basicView, fullView } from './conversation-view.js';
import type { BasicConversation, FullConversation } from './conversation.schema.js';

export interface ListQuery {
  filter: ConversationFilter;
  sort: '-start_time' | 'start_time';
  limit: number;
  cursor: string | undefined;
  view: 'basic' | 'full';
  total: boolean;
}

type AnyConversation = BasicConversation | FullConversation;
export type ActiveConversation = BasicConversation & {
  elapsed_ms: number;
  holder: string;
  last_turn_at: string | null;
};

export interface Active {
  as_of: string;
  has_more: boolean;
  data: ActiveConversation[];
}

@Injectable()
export class ConversationsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
    private readonly cursors: Cursors,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** One page. `view=full` is a content read, journaled once per client on the page. */
  async list(caller: Caller, query: ListQuery): Promise<List<AnyConversation> & { total?: Total }> {
    const full = query.view === 'full';
    if (full && !caller.rights.has('content:read'))
      throw new AppError('forbidden', 'this key may not read content: use view=basic');
    const fingerprint = fingerprintOf({
      list: 'conversations',
      filter: query.filter,
      sort: query.sort,
      view: query.view,
    });
    const after = query.cursor === undefined ? null : await this.cursors.decode(query.cursor, fingerprint);
    const { rows, total } = await this.database.withScope(caller.clients, async (tx) => ({
      rows: await findPage(tx, caller, { ...query, after }, full),
      total: query.total ? await countTotal(tx, caller, query.filter) : undefined,
    }));
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    const next =
      last === undefined ? null : await this.cursors.encode([last.start_time.toISOString(), last.id], fingerprint);
    const data = full ? await this.openPage(caller, page) : page.map((row) => basicView(row, this.workflowUrl));
    return { ...list(data, next), ...(total && { total }) };
  }

  /** One conversation: all fields if the caller may read content, otherwise the basic view. */
  async get(
    caller: Caller,
    id: string,
    ifNoneMatch: string | undefined,
  ): Promise<ApiResponse<AnyConversation | undefined>> {
    const row = await this.find(caller, id);
    const full = caller.rights.has('content:read');
    const etag = etagOf(full ? row.revision : `${row.revision}-basic`);
    if (full) refuseRestricted(caller, row);
    // A 304 sends no content, so it is not a content read.
    if (isUnchanged(ifNoneMatch, etag)) return new ApiResponse(undefined, { etag });
    if (!full) return new ApiResponse(basicView(row, this.workflowUrl), { etag });
    await this.reads.record(caller, row, 'detail');
    const keys = await this.vault.existingConversationKeys(id, headerClasses([row]));
    return new ApiResponse(this.openView(row, keys), { etag });
  }

  /** Live conversations: the newest 1,000, and whether there are more. */
  async active(caller: Caller, filter: ConversationFilter): Promise<Active> {
    const now = new Date();
    const rows = await this.database.withScope(caller.clients, (tx) => findActive(tx, caller, filter));
    const data = rows.slice(0, ACTIVE_LIMIT).map((row) => ({
      ...basicView(row, this.workflowUrl),
      elapsed_ms: Math.max(0, now.getTime() - row.start_time.getTime()),
      holder: row.holder,
      last_turn_at: row.last_turn_at?.toISOString() ?? null,
    }));
    return { as_of: now.toISOString(), has_more: rows.length > ACTIVE_LIMIT, data };
  }

  private find(caller: Caller, id: string): Promise<ConversationRow> {
    return this.database.withScope(caller.clients, (tx) => findConversation(tx, caller, id));
  }

  /** Leaves out restricted conversations, so the page may be shorter than its limit. */
  private async openPage(caller: Caller, rows: ConversationRow[]): Promise<FullConversation[]> {
    const readable = rows.filter(({ restricted }) => !restricted || caller.role === 'compliance');
    await this.reads.recordPage(caller, readable);
    const ids = readable.map(({ id }) => id);
    const keys = await this.vault.existingKeysOf(ids, headerClasses(readable));
    return readable.flatMap((row) => {
      const own = keys.get(row.id);
      // A conversation that is being erased is no part of the page.
      return own === undefined || own.find('record') === null ? [] : [this.openView(row, own)];
    });
  }

  private openView(row: ConversationRow, keys: ConversationKeys): FullConversation {
    return fullView(row, openHeader(row, keys), this.workflowUrl);
  }

  private readonly workflowUrl = (workflowId: string): string | null => {
    const { uiUrl, namespace } = this.config.temporal;
    return uiUrl === undefined ? null : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  };
}
