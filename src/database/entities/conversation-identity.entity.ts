import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import { oneOf } from './one-of.js';

/** One row per conversation, kept after its erasure: the provider's id as keyed hashes, and the lock. */
@Entity('conversation_identities')
@Unique('conversation_identities_hash_unique', ['provider_account_id', 'identity_hash'])
@Index('conversation_identities_suppression_idx', ['client_id', 'suppression_hash'])
@Check('conversation_identities_state_check', oneOf('state', ['live', 'erasing', 'erased']))
export class ConversationIdentityEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  client_id: string;

  @Column('uuid')
  provider_account_id: string;

  @Column('bytea')
  identity_hash: Buffer;

  /** The same in every account of the client, so that an erased conversation does not return through another one. */
  @Column('bytea')
  suppression_hash: Buffer;

  @Column('text', { default: 'live' })
  state: string;

  /** While it is being imported from the provider's list, its other facts wait. */
  @Column('timestamptz', { nullable: true })
  reserved_until: Date | null;

  @Column('text', { nullable: true })
  reserved_by: string | null;

  @Column('timestamptz', { nullable: true })
  erased_at: Date | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;
}
