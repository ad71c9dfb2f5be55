import { Check, Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { oneOf } from './one-of.js';

/** What happened, without personal data. A trigger refuses every change. */
@Entity('journal')
@Index('journal_conversation_idx', ['conversation_id', 'position'], { where: 'conversation_id is not null' })
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

  /** Milliseconds, as they are shown and hashed. */
  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
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

  /** Of a page of a list: a hash of the conversations on it. */
  @Column('bytea', { nullable: true })
  listed_hash: Buffer | null;
}

/** That a conversation was on a page of a list, whose entry has this position. */
@Entity('journal_listed')
@Index('journal_listed_position_idx', ['position'])
export class JournalListedEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  @PrimaryColumn('bigint')
  position: string;
}

/** An entry that has no number yet. */
@Entity('journal_pending')
export class JournalPendingEntity {
  @PrimaryColumn('bigint')
  position: string;
}

/** The number of an entry, given after its commit; a trigger refuses every change. */
@Entity('journal_sequence')
@Unique('journal_sequence_position_unique', ['position'])
@Unique('journal_sequence_leaf_unique', ['client_id', 'leaf'])
@Check('journal_sequence_hash_check', 'octet_length(hash) = 32')
export class JournalSequenceEntity {
  /** From 1, without gaps. */
  @PrimaryColumn('bigint')
  seq: string;

  @Column('bigint')
  position: string;

  /** Its place in the client's log: from 0, without gaps. */
  @Column('bigint')
  leaf: string;

  @Column('uuid')
  client_id: string;

  /** RFC 6962 leaf hash of the entry's line. */
  @Column('bytea')
  hash: Buffer;

  /** Of that line. */
  @Column('smallint')
  version: number;
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
