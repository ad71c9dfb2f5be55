import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';
import { oneOf } from './one-of.js';
import { VersionedEntity } from './versioned.entity.js';

/** An API key. Its name is sealed; of its secret there is only a hash. */
@Entity('api_keys')
@Unique('api_keys_hash_unique', ['hash'])
@Check('api_keys_role_check', oneOf('role', ['consumer', 'supervisor', 'compliance', 'operator', 'admin']))
export class ApiKeyEntity extends VersionedEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  role: string;

  @Column('boolean')
  all_clients: boolean;

  @Column('uuid', { array: true, default: [] })
  client_ids: string[];

  @Column('text', { array: true, default: [] })
  scopes: string[];

  @Column('bytea')
  hash: Buffer;

  @Column('text')
  prefix: string;

  @Column('bytea')
  sealed: Buffer;

  @Column('timestamptz', { nullable: true })
  expires_at: Date | null;

  @Column('timestamptz', { nullable: true })
  last_used_at: Date | null;

  @Column('timestamptz', { nullable: true })
  revoked_at: Date | null;

  /** The key that created it. Null: created from the settings. */
  @Column('uuid', { nullable: true })
  created_by: string | null;

  /** The key that created it or last widened it. */
  @Column('uuid', { nullable: true })
  proposed_by: string | null;

  @Column('uuid', { nullable: true })
  approved_by: string | null;

  @Column('timestamptz', { nullable: true })
  approved_at: Date | null;

  @Column('boolean', { default: false })
  awaiting_approval: boolean;
}

/** A former secret of a key; it is never accepted again. */
@Entity('retired_api_key_secrets')
export class RetiredApiKeySecretEntity {
  @PrimaryColumn('bytea')
  hash: Buffer;

  @Column('uuid')
  @ForeignKey('ApiKeyEntity', { name: 'retired_api_key_secrets_key_fk' })
  api_key_id: string;

  @Column('timestamptz', { default: () => 'now()' })
  retired_at: Date;
}
