import { Check, Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { oneOf } from './one-of.js';

/** What happened, without personal data. A trigger refuses every change. */
@Entity('journal')
@Index('journal_conversation_idx', ['conversation_id', 'position'], { where: 'conversation_id is not null' })
@Index('journal_client_idx', ['client_id', 'position'])
@Index('journal_listed_idx', ['client_id', 'position'], { where: "action = 'content.listed'" })
@Check('journal_actor_type_check', oneOf('actor_type', ['key', 'workflow', 'provider', 'system']))
export class JournalEntryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  position: string;

  @Column('uuid')
  id: string;

  /** The nil uuid is the system log. */
  @Column('uuid')
  client_id: string;

  @Column('uuid', { nullable: true })
  conversation_id: string | null;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  time: Date;

  @Column('text')
  action: string;

  @Column('uuid', { array: true, default: [] })
  object_ids: string[];

  @Column('text')
  actor_type: string;

  @Column('text', { nullable: true })
  actor_id: string | null;

  @Column('text', { nullable: true })
  purpose: string | null;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('text', { nullable: true })
  workflow_id: string | null;

  @Column('text', { array: true, default: [] })
  changes: string[];

  @Column('integer', { nullable: true })
  revision: number | null;
}

/** A content read that has its journal entry: one per key, conversation, kind and 5-minute slot. */
@Entity('content_reads')
@Index('content_reads_slot_idx', ['slot'])
export class ContentReadEntity {
  @PrimaryColumn('uuid')
  client_id: string;

  @PrimaryColumn('uuid')
  api_key_id: string;

  @PrimaryColumn('uuid')
  conversation_id: string;

  @PrimaryColumn('text')
  kind: string;

  @PrimaryColumn('timestamptz')
  slot: Date;
}
