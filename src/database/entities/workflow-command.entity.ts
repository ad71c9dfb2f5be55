// What Temporal must be told. A row is deleted once that is done.
import { Check, Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** For one workflow, which it starts or signals. Names and enumerations: no content fits in. */
@Entity('workflow_commands')
@Check('workflow_commands_words_check', "workflow ~ '^[A-Za-z]{1,64}$' and kind ~ '^[a-z_]{1,64}$'")
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
}

/** About a provider account. */
@Entity('account_commands')
export class AccountCommandEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column('uuid')
  provider_account_id: string;

  /** The timers of its live conversations must be reset. */
  @Column('boolean', { default: false })
  rearms: boolean;

  /** The last conversation whose timers were reset. Null: none yet. */
  @Column('uuid', { nullable: true })
  rearmed_until: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;
}
