// Whether a transcript is final is what its conversation's completeness says: the column beside it said it once more, to nobody.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class DropTranscriptFinal1790000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table transcripts drop column final');
  }

  down = forwardOnly;
}
