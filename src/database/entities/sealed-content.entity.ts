// Parts of a conversation that are sealed in rows of their own.
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A conversation's document in parts, each sealed with the key of its class. Null: there is no such part, or it was erased. */
abstract class SealedPartsEntity {
  @PrimaryColumn('uuid')
  conversation_id: string;

  @Column('uuid')
  client_id: string;

  /** The version of the conversation's state that this was stored with; the sealed bytes are bound to it. */
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

/** What the reducer needs to merge the next fact. */
@Entity('conversation_states')
export class ConversationStateEntity extends SealedPartsEntity {}

/** The latest version of the provider's document. */
@Entity('provider_records')
export class ProviderRecordEntity extends SealedPartsEntity {}

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
