import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** When the live conversations of a provider account are listed next, and the result of the last poll. */
@Entity('live_polls')
@Index('live_polls_next_idx', ['next_at'])
export class LivePollEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ProviderAccountEntity', { name: 'live_polls_account_fk' })
  provider_account_id: string;

  @Column('uuid')
  client_id: string;

  /** Null: polling is off. */
  @Column('timestamptz', { nullable: true, default: () => 'clock_timestamp()' })
  next_at: Date | null;

  /** Who is polling now. */
  @Column('uuid', { nullable: true })
  lease: string | null;

  @Column('timestamptz', { nullable: true })
  leased_at: Date | null;

  @Column('timestamptz', { nullable: true })
  leased_until: Date | null;

  /** Consecutive polls that the provider did not answer. */
  @Column('integer', { default: 0 })
  failures: number;

  @Column('timestamptz', { nullable: true })
  last_at: Date | null;

  /** Null: the provider did not answer. */
  @Column('integer', { nullable: true })
  live: number | null;

  /** What went wrong, as a code. */
  @Column('text', { nullable: true })
  problem: string | null;
}
