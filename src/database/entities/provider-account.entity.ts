import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** Seconds. `silence` null: 15 min for calls, a day for chats. */
export interface Deadlines {
  silence: number | null;
  ask_every: number;
  analysis: number;
  transcript: number;
  audio: number;
}

/** A provider account. Its name, secrets and addresses are sealed. */
@Entity('provider_accounts')
@Index('provider_accounts_client_idx', ['client_id', 'id'])
export class ProviderAccountEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  @ForeignKey('ClientEntity', { name: 'provider_accounts_client_fk' })
  client_id: string;

  @Column('text')
  provider: string;

  @Column('bytea')
  sealed: Buffer;

  /** Those that differ from the defaults. */
  @Column('jsonb', { default: {} })
  deadlines: Partial<Deadlines>;

  @Column('integer', { default: 30 })
  backfill_days: number;

  /** Null: polling is off. */
  @Column('integer', { nullable: true })
  poll_active_seconds: number | null;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at: Date;

  @Column('timestamptz', { nullable: true })
  deleted_at: Date | null;
}
