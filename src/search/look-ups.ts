// Finds conversations that may have a value, by its keyed hash. The results are candidates: the caller opens the record and verifies
// it, because the index lags behind the record.
import { Injectable } from '@nestjs/common';
import { SearchDatabase } from '../database/search/search-database.js';
import type { BlindIndexKind } from '../vault/blind-index-hasher.js';
import { VaultService } from '../vault/vault.service.js';

export interface LookUp {
  /** uuids of the clients to search, at most 100. */
  clientIds: readonly string[];
  kind: BlindIndexKind;
  /** Matches any of these, at most 100. Normalised (common/normalise.ts); a pair is a name and a value. */
  values: readonly (readonly [string, ...string[]])[];
  order: 'newest first' | 'oldest first';
  /** The last candidate of the previous page; null: from the beginning. */
  after: Pick<LookUpCandidate, 'startTime' | 'conversationId'> | null;
  limit: number;
}

export interface LookUpCandidate {
  conversationId: string;
  clientId: string;
  startTime: Date;
}

export interface LookUpResult {
  /** At most `limit`, each once, ordered by start_time and id. */
  candidates: LookUpCandidate[];
  /** False: the index is being rebuilt or lags behind. It covers changes before `indexedUntil`; null: unknown. */
  complete: boolean;
  indexedUntil: Date | null;
}

/** Parameters: parallel arrays of clients and hashes, kind, keyset, limit. Takes the first of each hash, then the first of all. */
const statementOf = (name: string, compare: '<' | '>', direction: 'desc' | 'asc') => ({
  name,
  text: `
select s.complete and s.indexed_until is null as complete, s.indexed_until, found.* from search_state s left join lateral (
  select distinct best.start_time, best.conversation_id, best.client_id
  from unnest($1::uuid[], $2::bytea[]) as asked(client_id, hash) cross join lateral (
    select b.start_time, b.conversation_id, b.client_id from blind_indexes b
    where b.client_id = asked.client_id and b.kind = $3 and b.hash = asked.hash
      and (b.start_time, b.conversation_id) ${compare} ($4::timestamptz, $5::uuid)
    order by b.start_time ${direction}, b.conversation_id ${direction} limit $6) as best
  order by best.start_time ${direction}, best.conversation_id ${direction} limit $6) as found on true
order by found.start_time ${direction}, found.conversation_id ${direction}`,
});

/** Statement and initial keyset of each order. */
export const PAGE = {
  'newest first': {
    statement: statementOf('look_up_newest', '<', 'desc'),
    beginning: ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  },
  'oldest first': {
    statement: statementOf('look_up_oldest', '>', 'asc'),
    beginning: ['-infinity', '00000000-0000-0000-0000-000000000000'],
  },
} as const;

interface Row {
  complete: boolean;
  indexed_until: Date | null;
  /** This and the columns below are null if nothing was found. */
  start_time: Date | null;
  conversation_id: string;
  client_id: string;
}

@Injectable()
export class LookUps {
  constructor(
    private readonly database: SearchDatabase,
    private readonly vault: VaultService,
  ) {}

  /** The next candidates. Throws `search_unavailable` and `keystore_unavailable`. */
  async find({ clientIds, kind, values, order, after, limit }: LookUp): Promise<LookUpResult> {
    const hashes = await this.hashesOf(clientIds, kind, values);
    const { statement, beginning } = PAGE[order];
    const [startTime, id] = after === null ? beginning : [after.startTime, after.conversationId];
    const asked = [hashes.map(({ clientId }) => clientId), hashes.map(({ hash }) => hash)];
    const rows = await this.database.once<Row>(clientIds, {
      ...statement,
      values: [...asked, kind, startTime, id, limit],
    });
    return {
      candidates: rows.flatMap(({ start_time, conversation_id, client_id }) =>
        start_time === null ? [] : [{ conversationId: conversation_id, clientId: client_id, startTime: start_time }],
      ),
      complete: rows[0]?.complete ?? false,
      indexedUntil: rows[0]?.indexed_until ?? null,
    };
  }

  /** A client without an index key has no index entries. */
  private async hashesOf(
    clientIds: LookUp['clientIds'],
    kind: BlindIndexKind,
    values: LookUp['values'],
  ): Promise<{ clientId: string; hash: Buffer }[]> {
    const hashers = await Promise.all(
      clientIds.map(async (clientId) => ({ clientId, hasher: await this.vault.findIndexHasher(clientId) })),
    );
    return hashers.flatMap(({ clientId, hasher }) =>
      hasher === null ? [] : values.map((value) => ({ clientId, hash: hasher.hash(kind, ...value) })),
    );
  }
}
