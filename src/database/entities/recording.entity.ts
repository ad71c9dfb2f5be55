import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { oneOf } from './one-of.js';

/** One audio file of a conversation; its bytes are in the object store. bigint is a string. */
@Entity('recordings')
@Unique('recordings_variant_unique', ['conversation_id', 'variant'])
@Check('recordings_variant_check', oneOf('variant', ['mixed', 'agent', 'customer', 'redacted']))
export class RecordingEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  @Column('text')
  variant: string;

  @Column('text')
  content_type: string;

  @Column('bigint')
  bytes: string;

  @Column('bigint', { nullable: true })
  duration_ms: string | null;

  @Column('text')
  object_key: string;

  @Column('timestamptz')
  created_at: Date;
}

/** An object in the store that no recording refers to, yet or any more. */
@Entity('orphaned_objects')
export class OrphanedObjectEntity {
  @PrimaryColumn('text')
  object_key: string;

  @Column('uuid')
  conversation_id: string;

  @Column('timestamptz', { default: () => 'now()' })
  since: Date;
}
