import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A client. Its name is sealed. */
@Entity('clients')
export class ClientEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('bytea')
  sealed: Buffer;

  @Column('text', { nullable: true })
  default_region: string | null;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at: Date;
}
