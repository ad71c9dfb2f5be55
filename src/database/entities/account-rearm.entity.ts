import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** The live conversations of a provider account must be woken, because its settings have changed. */
@Entity('account_rearms')
export class AccountRearmEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column('uuid')
  provider_account_id: string;

  /** The last conversation that was woken. Null: none yet. */
  @Column('uuid', { nullable: true })
  position: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;
}
