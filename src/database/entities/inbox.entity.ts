import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { oneOf } from './one-of.js';

/** A fact that has not been applied: pending, parked, or of an unknown kind. */
@Entity('inbox')
// inbox_due_idx contains an expression, so it is in the migration only.
@Index('inbox_conversation_idx', ['provider_account_id', 'identity_hash', 'received_at'])
@Index('inbox_key_day_idx', ['provider_account_id', 'key_day'])
@Index('inbox_parked_idx', ['parked_at', 'id'], { where: "state = 'parked'" })
@Check('inbox_source_check', oneOf('source', ['webhook', 'record', 'workflow']))
@Check('inbox_lane_check', oneOf('lane', ['plain', 'large', 'audio']))
@Check('inbox_state_check', oneOf('state', ['pending', 'parked', 'unknown']))
export class InboxEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  provider_account_id: string;

  /** Null if the payload names no conversation. */
  @Column('bytea', { nullable: true })
  identity_hash: Buffer | null;

  @Column('text')
  source: string;

  @Column('text')
  kind: string;

  @Column('bytea')
  hash: Buffer;

  @Column('timestamptz')
  received_at: Date;

  /** Null: sealed with a key of the account's client instead of a day key. */
  @Column('date', { nullable: true })
  key_day: string | null;

  @Column('bytea')
  sealed: Buffer;

  /** plain: applied in batches; large: one by one; audio: the recording is stored first. */
  @Column('text', { default: 'plain' })
  lane: string;

  @Column('text', { default: 'pending' })
  state: string;

  @Column('integer', { default: 0 })
  attempts: number;

  /** How often it was postponed by errors that are not its own. */
  @Column('integer', { default: 0 })
  postponements: number;

  @Column('timestamptz', { nullable: true })
  retry_at: Date | null;

  @Column('timestamptz', { nullable: true })
  parked_at: Date | null;

  @Column('text', { nullable: true })
  parked_reason: string | null;

  /** W3C traceparent. Null: not traced. */
  @Column('text', { nullable: true })
  traceparent: string | null;
}

/** A keyed hash of accepted bytes; detects duplicates of applied facts. */
@Entity('fact_receipts')
export class FactReceiptEntity {
  @PrimaryColumn('uuid')
  provider_account_id: string;

  @PrimaryColumn('bytea')
  hash: Buffer;

  @Column('timestamptz')
  received_at: Date;
}
