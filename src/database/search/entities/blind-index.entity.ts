import { Entity, Index, PrimaryColumn } from 'typeorm';

/** A keyed hash by which a conversation can be looked up. */
@Entity('blind_indexes')
@Index('blind_indexes_conversation_idx', ['conversation_id'])
export class BlindIndexEntity {
  @PrimaryColumn('uuid')
  client_id: string;

  @PrimaryColumn('text')
  kind: string;

  @PrimaryColumn('bytea')
  hash: Buffer;

  @PrimaryColumn('timestamptz')
  start_time: Date;

  @PrimaryColumn('uuid')
  conversation_id: string;
}
