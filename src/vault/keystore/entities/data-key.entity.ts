import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { oneOf } from '../../../database/entities/one-of.js';
import { KEY_PURPOSES } from '../key-purposes.js';

/** A data key of a client or a provider account, wrapped or destroyed. */
@Entity('data_keys')
@Check('data_keys_purpose', oneOf('purpose', KEY_PURPOSES))
@Check('data_keys_live_or_destroyed', '(wrapped is null) <> (destroyed_at is null)')
@Check('data_keys_wrapped_by', 'wrapped is null or kek_id is not null')
export class DataKeyEntity {
  @PrimaryColumn('text')
  purpose: string;

  @PrimaryColumn('uuid')
  owner: string;

  @PrimaryColumn('text', { default: '' })
  part: string;

  /** Null: the key was destroyed before one existed. */
  @Column('integer', { nullable: true })
  kek_id: number | null;

  @Column('bytea', { nullable: true })
  wrapped: Buffer | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  @Column('timestamptz', { nullable: true })
  destroyed_at: Date | null;
}
