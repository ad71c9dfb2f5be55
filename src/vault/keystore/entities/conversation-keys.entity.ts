import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The wrapped keys of one conversation. Null: destroyed. Every column costs bytes (decision 0044). */
@Entity('conversation_keys')
@Check(
  'conversation_keys_live_or_destroyed',
  `case when destroyed_at is null
    then num_nulls(record, transcript, audio, analysis, parked) = 0 else parked is null end`,
)
@Check(
  'conversation_keys_wrapped_by',
  'kek_id is not null or num_nonnulls(record, transcript, audio, analysis, parked) = 0',
)
export class ConversationKeysEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  /** Null: the keys were destroyed before any existed. */
  @Column('integer', { nullable: true })
  kek_id: number | null;

  @Column('bytea', { nullable: true })
  record: Buffer | null;

  @Column('bytea', { nullable: true })
  transcript: Buffer | null;

  @Column('bytea', { nullable: true })
  audio: Buffer | null;

  @Column('bytea', { nullable: true })
  analysis: Buffer | null;

  /** Of facts that could not be applied; destroyed with the first of the others. */
  @Column('bytea', { nullable: true })
  parked: Buffer | null;

  /** When a key of this row was last destroyed. */
  @Column('timestamptz', { nullable: true })
  destroyed_at: Date | null;
}

/** Keys that were found to belong to no conversation; using a key removes its row here (key-sweep.ts). */
@Entity('keys_marked_for_deletion')
@Index('keys_marked_for_deletion_at_idx', ['marked_for_deletion_at'])
export class MarkedKeysEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('timestamptz', { default: () => 'now()' })
  marked_for_deletion_at: Date;
}
