// Commands for Temporal. A row is deleted once its command has been sent.
import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** For one workflow, which it starts or signals. Names and enumerations: no content fits in. */
@Entity('workflow_commands')
@Index('workflow_commands_new_idx', ['id'], { where: 'attempts = 0' })
@Index('workflow_commands_refused_idx', ['parked_at', 'retry_at'], { where: 'attempts > 0' })
@Index('workflow_commands_entity_idx', ['entity_id'])
@Check(
  'workflow_commands_words_check',
  "workflow ~ '^[A-Za-z]{1,64}$' and kind ~ '^[a-z_]{1,64}$' and error ~ '^[A-Za-z0-9_]{1,64}$'",
)
export class WorkflowCommandEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  /** Name of the workflow function. */
  @Column('text')
  workflow: string;

  /** What the workflow works for: a conversation, an account. */
  @Column('uuid')
  entity_id: string;

  /** What happened: an enumeration of that workflow. */
  @Column('text')
  kind: string;

  @Column('text', { nullable: true })
  traceparent: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  /** A worker delivers it until then. */
  @Column('timestamptz', { nullable: true })
  leased_until: Date | null;

  /** How often it was refused. */
  @Column('integer', { default: 0 })
  attempts: number;

  /** Why the last time: a code. */
  @Column('text', { nullable: true })
  error: string | null;

  /** Refused and not parked: when it is tried again. */
  @Column('timestamptz', { nullable: true })
  retry_at: Date | null;

  /** Refused too often: it waits for a person. */
  @Column('timestamptz', { nullable: true })
  parked_at: Date | null;
}
