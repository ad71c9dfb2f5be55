import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { oneOf } from './one-of.js';

/** The progress of the backfill of a provider account. */
@Entity('backfills')
@Check('backfills_status_check', oneOf('status', ['pending', 'running', 'completed', 'failed']))
export class BackfillEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ProviderAccountEntity', { name: 'backfills_account_fk' })
  provider_account_id: string;

  @Column('uuid')
  client_id: string;

  @Column('text', { default: 'pending' })
  status: string;

  @Column('timestamptz')
  range_from: Date;

  @Column('timestamptz')
  range_to: Date;

  /** The upper end of the current window. */
  @Column('timestamptz')
  window_to: Date;

  @Column('text', { nullable: true })
  kind: string | null;

  /** The provider's cursor; sealed, because it can contain a conversation id. */
  @Column('bytea', { nullable: true })
  cursor: Buffer | null;

  @Column('integer', { default: 0 })
  checked: number;

  @Column('integer', { default: 0 })
  page_checked: number;

  @Column('integer', { default: 0 })
  added: number;

  @Column('integer', { default: 0 })
  skipped: number;

  /** Codes with counts. */
  @Column('jsonb', { default: {} })
  skipped_reasons: Record<string, number>;

  @Column('integer', { default: 1 })
  version: number;

  @Column('text', { nullable: true })
  last_error: string | null;

  @Column('timestamptz', { nullable: true })
  started_at: Date | null;

  @Column('timestamptz', { nullable: true })
  completed_at: Date | null;
}
