import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** What the index covers. The only row. */
@Entity('search_state')
@Check('search_state_only_row', 'id = 1')
export class SearchStateEntity {
  @PrimaryColumn('integer', { default: 1 })
  id: number;

  /** Counts rebuilds. 0: this database is new. */
  @Column('integer', { default: 0 })
  generation: number;

  /** The last rebuild is done: every conversation is in the index, apart from what the indexer is about to do. */
  @Column('boolean', { default: false })
  complete: boolean;

  /** What changed before this is in the index. Null: everything, once it is complete. */
  @Column('timestamptz', { nullable: true })
  indexed_until: Date | null;

  @Column('boolean', { default: false })
  rebuilding: boolean;

  @Column('timestamptz', { nullable: true })
  rebuild_started_at: Date | null;

  /** The last conversation that the rebuild has written. Null: none yet. */
  @Column('uuid', { nullable: true })
  rebuild_after: string | null;

  @Column('integer', { default: 0 })
  rebuild_written: number;

  /** About how many conversations there are. */
  @Column('integer', { nullable: true })
  rebuild_total: number | null;

  /** Fencing token: whoever has taken the last step. */
  @Column('integer', { default: 0 })
  rebuild_version: number;

  @Column('timestamptz', { nullable: true })
  rebuild_leased_until: Date | null;
}
