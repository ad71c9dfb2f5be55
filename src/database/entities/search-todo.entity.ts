import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A conversation whose look-ups are out of date. Written with the change; the indexer removes it when it has caught up. */
@Entity('search_todo')
@Index('search_todo_due_idx', ['due_at'])
export class SearchTodoEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  /** The latest revision that the index lacks. */
  @Column('integer')
  revision: number;

  /** When the first change that the index lacks was made. */
  @Column('timestamptz', { default: () => 'now()' })
  since: Date;

  /** Not before: claimed by a worker until then, or postponed. */
  @Column('timestamptz', { default: () => 'now()' })
  due_at: Date;

  /** Failed attempts since the last change. */
  @Column('integer', { default: 0 })
  attempts: number;
}
