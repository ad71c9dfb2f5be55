import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { oneOf } from './one-of.js';

const PART_STATES = ['pending', 'present', 'absent', 'erased'];

/** The read model of a conversation: plain columns without personal data, the rest sealed in the header. bigint is a string. */
@Entity('conversations')
@Index('conversations_client_start_idx', ['client_id', 'start_time', 'id'])
@Index('conversations_start_idx', ['start_time', 'id'])
@Index('conversations_agent_start_idx', ['client_id', 'agent_id', 'start_time', 'id'])
@Index('conversations_live_idx', ['start_time', 'id'], { where: "status in ('ringing', 'active', 'transferring')" })
@Index('conversations_unfinished_idx', ['id'], { where: "record_state in ('open', 'settling') or unfetched" })
@Check('conversations_status_check', oneOf('status', ['ringing', 'active', 'transferring', 'completed', 'failed']))
@Check('conversations_record_state_check', oneOf('record_state', ['open', 'settling', 'settled', 'erasing', 'erased']))
@Check('conversations_holder_check', oneOf('holder', ['agent', 'phone', 'human', 'queue']))
@Check('conversations_transcript_state_check', oneOf('transcript_state', PART_STATES))
@Check('conversations_audio_state_check', oneOf('audio_state', PART_STATES))
@Check('conversations_analysis_state_check', oneOf('analysis_state', PART_STATES))
export class ConversationEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ConversationIdentityEntity', { name: 'conversations_identity_fk' })
  id: string;

  @Column('uuid')
  client_id: string;

  @Column('uuid', { nullable: true })
  agent_id: string | null;

  @Column('text', { nullable: true })
  agent_version: string | null;

  @Column('text')
  provider: string;

  @Column('uuid')
  provider_account_id: string;

  @Column('text')
  channel: string;

  @Column('text', { nullable: true })
  direction: string | null;

  @Column('text')
  status: string;

  @Column('text')
  record_state: string;

  @Column('boolean', { default: false })
  restricted: boolean;

  /** Who holds it now, by its last segment. */
  @Column('text', { default: 'agent' })
  holder: string;

  @Column('timestamptz')
  start_time: Date;

  @Column('timestamptz', { nullable: true })
  end_time: Date | null;

  @Column('bigint', { nullable: true })
  duration_ms: string | null;

  @Column('text', { nullable: true })
  end_category: string | null;

  @Column('text', { nullable: true })
  end_party: string | null;

  @Column('text', { nullable: true })
  outcome: string | null;

  @Column('double precision', { nullable: true })
  outcome_score: number | null;

  @Column('text', { nullable: true })
  sentiment: string | null;

  @Column('double precision', { nullable: true })
  sentiment_score: number | null;

  @Column('text', { nullable: true })
  language: string | null;

  @Column('integer', { default: 0 })
  turn_count: number;

  @Column('integer', { default: 0 })
  transfer_count: number;

  @Column('bigint', { nullable: true })
  cost_amount_micros: string | null;

  @Column('text', { nullable: true })
  cost_currency: string | null;

  @Column('integer', { nullable: true })
  latency_p50_ms: number | null;

  @Column('integer', { nullable: true })
  latency_p95_ms: number | null;

  @Column('text', { nullable: true })
  latency_source: string | null;

  @Column('text', { default: 'pending' })
  transcript_state: string;

  @Column('text', { nullable: true })
  transcript_reason: string | null;

  @Column('timestamptz', { nullable: true })
  transcript_due_at: Date | null;

  @Column('text', { default: 'pending' })
  audio_state: string;

  @Column('text', { nullable: true })
  audio_reason: string | null;

  @Column('timestamptz', { nullable: true })
  audio_due_at: Date | null;

  @Column('text', { default: 'pending' })
  analysis_state: string;

  @Column('text', { nullable: true })
  analysis_reason: string | null;

  @Column('timestamptz', { nullable: true })
  analysis_due_at: Date | null;

  /** A recording has yet to be fetched. */
  @Column('boolean', { default: false })
  unfetched: boolean;

  @Column('timestamptz')
  last_fact_at: Date;

  @Column('timestamptz', { nullable: true })
  last_turn_at: Date | null;

  @Column('bytea')
  header: Buffer;

  /** What the agent collected in the call; null: nothing. */
  @Column('bytea', { nullable: true })
  transcript_header: Buffer | null;

  /** Title, summary and the reasons of a judgement; null: there are none. */
  @Column('bytea', { nullable: true })
  analysis_header: Buffer | null;

  @Column('integer')
  revision: number;

  @Column('timestamptz')
  created_at: Date;

  @Column('timestamptz')
  updated_at: Date;
}
