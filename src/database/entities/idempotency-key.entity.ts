import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The result of a request with an idempotency key. */
@Entity('idempotency_keys')
@Index('idempotency_keys_age_idx', ['created_at'])
export class IdempotencyKeyEntity {
  @PrimaryColumn('uuid')
  api_key_id: string;

  @PrimaryColumn('bytea')
  key_hash: Buffer;

  @Column('bytea')
  request_hash: Buffer;

  @Column('integer', { nullable: true })
  status: number | null;

  @Column('text', { nullable: true })
  object_kind: string | null;

  @Column('uuid', { nullable: true })
  object_id: string | null;

  /** For requests that change several objects: how many. */
  @Column('integer', { nullable: true })
  object_count: number | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;
}
