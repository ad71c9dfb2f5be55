// Parts of a conversation that are sealed in rows of their own.
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the reducer needs to merge the next fact. */
@Entity('conversation_states')
export class ConversationStateEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  /** Counts its versions; the sealed bytes are bound to it. */
  @Column('integer')
  revision: number;

  @Column('bytea', { nullable: true })
  record: Buffer | null;

  @Column('bytea', { nullable: true })
  transcript: Buffer | null;

  @Column('bytea', { nullable: true })
  audio: Buffer | null;

  @Column('bytea', { nullable: true })
  analysis: Buffer | null;
}

/** The latest version of the provider's document. */
@Entity('provider_records')
export class ProviderRecordEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  /** That of the state that it was stored with. */
  @Column('integer')
  revision: number;

  @Column('bytea', { nullable: true })
  record: Buffer | null;

  @Column('bytea', { nullable: true })
  transcript: Buffer | null;

  @Column('bytea', { nullable: true })
  audio: Buffer | null;

  @Column('bytea', { nullable: true })
  analysis: Buffer | null;
}

@Entity('transcripts')
export class TranscriptEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  /** Of the conversation, when it was stored. */
  @Column('integer')
  revision: number;

  @Column('bytea')
  sealed: Buffer;
}
