import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { VersionedEntity } from './versioned.entity.js';

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
export class ProviderAccountEntity extends VersionedEntity {
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

  @Column('timestamptz', { nullable: true })
  deleted_at: Date | null;
}
