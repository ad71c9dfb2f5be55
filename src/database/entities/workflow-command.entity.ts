// What Temporal must be told. A row is deleted once that is done.
import { Check, Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { oneOf } from './one-of.js';

/** About a conversation. */
@Entity('workflow_commands')
@Check('workflow_commands_kind_check', oneOf('kind', ['started', 'ended', 'late']))
export class WorkflowCommandEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column('uuid')
  conversation_id: string;

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
