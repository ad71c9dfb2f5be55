import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** When the last webhooks of a provider account arrived. */
@Entity('webhook_health')
export class WebhookHealthEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ProviderAccountEntity', { name: 'webhook_health_account_fk' })
  provider_account_id: string;

  @Column('uuid')
  client_id: string;

  @Column('timestamptz')
  last_at: Date;

  @Column('timestamptz', { nullable: true })
  last_valid_at: Date | null;
}

/** Webhooks with an invalid signature, per hour. */
@Entity('signature_failures')
export class SignatureFailuresEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ProviderAccountEntity', { name: 'signature_failures_account_fk' })
  provider_account_id: string;

  @Column('uuid')
  client_id: string;

  @PrimaryColumn('timestamptz')
  hour: Date;

  @Column('bigint')
  failures: string;
}
