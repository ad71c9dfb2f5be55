import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** What the index covers. The only row. */
@Entity('search_state')
@Check('search_state_only_row', 'id = 1')
export class SearchStateEntity {
  @PrimaryColumn('integer', { default: 1 })
  id: number;

  /** Counts rebuilds. 0: this database is new, and nothing was looked at yet. */
  @Column('integer', { default: 0 })
  generation: number;

  /** Every conversation is in the index, apart from what the indexer is about to do. */
  @Column('boolean', { default: false })
  complete: boolean;

  /** While it is not: conversations that are older than this are in it. */
  @Column('timestamptz', { nullable: true })
  indexed_until: Date | null;
}
