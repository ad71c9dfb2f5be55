import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Which revision of a conversation is in the index. */
@Entity('indexed_conversations')
export class IndexedConversationEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  /** The rebuild that last wrote it. */
  @Column('integer')
  generation: number;

  @Column('integer')
  revision: number;

  /** False: it was erased, and nothing of it may be written any more. */
  @Column('boolean')
  live: boolean;
}
