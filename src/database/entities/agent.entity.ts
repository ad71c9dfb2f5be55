import { Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';
import { VersionedEntity } from './versioned.entity.js';

/** An agent of a provider, or one of the client's own. Its name and the provider's id are sealed. */
@Entity('agents')
@Unique('agents_provider_unique', ['client_id', 'provider_account_id', 'provider_agent_hash'])
export class AgentEntity extends VersionedEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  @ForeignKey('ClientEntity', { name: 'agents_client_fk' })
  client_id: string;

  @Column('uuid', { nullable: true })
  provider_account_id: string | null;

  @Column('bytea', { nullable: true })
  provider_agent_hash: Buffer | null;

  @Column('bytea')
  sealed: Buffer;

  /** The version in its latest conversation. */
  @Column('text', { nullable: true })
  version: string | null;

  /** When that conversation began. */
  @Column('timestamptz', { nullable: true })
  version_seen_at: Date | null;
}
