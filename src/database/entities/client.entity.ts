import { Column, Entity, PrimaryColumn } from 'typeorm';
import { VersionedEntity } from './versioned.entity.js';

/** A client. Its name is sealed. */
@Entity('clients')
export class ClientEntity extends VersionedEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('bytea')
  sealed: Buffer;

  @Column('text', { nullable: true })
  default_region: string | null;
}
