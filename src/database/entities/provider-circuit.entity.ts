import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { oneOf } from './one-of.js';

/** The circuit breaker of a provider account. */
@Entity('provider_circuits')
@Check('provider_circuits_state_check', oneOf('state', ['closed', 'open']))
export class ProviderCircuitEntity {
  @PrimaryColumn('uuid')
  @ForeignKey('ProviderAccountEntity', { name: 'provider_circuits_account_fk' })
  provider_account_id: string;

  @Column('uuid')
  client_id: string;

  @Column('text', { default: 'closed' })
  state: string;

  /** Consecutive openings. */
  @Column('integer', { default: 0 })
  openings: number;

  /** When the next trial request is allowed. */
  @Column('timestamptz', { nullable: true })
  retry_at: Date | null;

  /** The HTTP status of the last outage. */
  @Column('integer', { nullable: true })
  status: number | null;

  /** Until when the provider asked us to stay away. */
  @Column('timestamptz', { nullable: true })
  away_until: Date | null;

  @Column('integer', { nullable: true })
  away_status: number | null;

  @Column('timestamptz', { default: () => 'now()' })
  changed_at: Date;
}

/** The current window of an account: requests used, and when it ends. The table is unlogged. */
@Entity('provider_budgets')
export class ProviderBudgetEntity {
  @PrimaryColumn('varchar', { length: 255 })
  key: string;

  @Column('integer', { default: 0 })
  points: number;

  @Column('bigint', { nullable: true })
  expire: string | null;
}
