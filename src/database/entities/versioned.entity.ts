import { Column } from 'typeorm';

/** Columns of tables whose rows the API shows as objects: their version, and when they were made and changed. */
export abstract class VersionedEntity {
  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { default: () => 'now()' })
  created_at: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at: Date;
}
