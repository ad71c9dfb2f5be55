import { Check, Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A key-encryption key: of one client and epoch, wrapped by the root key, or destroyed. */
@Entity('keks')
@Unique('keks_client_epoch_unique', ['client_id', 'epoch'])
@Check('keks_live_or_destroyed', '(wrapped is null) <> (destroyed_at is null)')
export class KekEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'ALWAYS' })
  id: number;

  @Column('uuid')
  client_id: string;

  @Column('integer')
  epoch: number;

  @Column('bytea', { nullable: true })
  wrapped: Buffer | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  @Column('timestamptz', { nullable: true })
  destroyed_at: Date | null;
}
