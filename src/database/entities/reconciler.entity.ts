// How far the reconciler is, and which worker it is.
import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The pass over all workflows of a kind that should run. Under way from `begun_at` until `ended_at`. */
@Entity('reconciler_passes')
export class ReconcilerPassEntity {
  /** Name of the workflow function. */
  @PrimaryColumn('text')
  workflow: string;

  /** When a pass was last asked for. */
  @Column('timestamptz', { default: () => 'now()' })
  asked_at: Date;

  @Column('timestamptz', { nullable: true })
  begun_at: Date | null;

  @Column('timestamptz', { nullable: true })
  ended_at: Date | null;

  /** The last entity that was checked. Null: none yet. */
  @Column('uuid', { nullable: true })
  position: string | null;

  @Column('integer', { default: 0 })
  checked: number;

  @Column('integer', { default: 0 })
  started: number;

  @Column('integer', { default: 0 })
  failed: number;
}

/** One row: the worker that makes the passes. */
@Entity('reconciler_lease')
@Check('reconciler_lease_id_check', 'id = 1')
export class ReconcilerLeaseEntity {
  @PrimaryColumn('integer', { default: 1 })
  id: number;

  @Column('uuid', { nullable: true })
  holder: string | null;

  @Column('timestamptz', { default: () => "'-infinity'" })
  leased_until: Date;
}
