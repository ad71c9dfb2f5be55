import { Controller, Get, Headers, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Caller } from '../access/caller.js';
import { Requires } from '../access/requires.js';
import { Answer } from '../common/answer.js';
import { AppError } from '../common/errors.js';
import { idInput, publicIdText } from '../common/id-schema.js';
import { Operation } from '../common/operation.js';
import { transcriptText } from './transcript-text.js';
import { TranscriptsService } from './transcripts.service.js';

const jsonValue: z.ZodType = z.unknown();

const turn = z
  .object({
    index: z.int(),
    role: z.enum(['customer', 'agent', 'human_agent', 'tool_call', 'tool_result', 'event', 'system']),
    text: z.string().nullable(),
    start_ms: z.int().nullable(),
    end_ms: z.int().nullable(),
    agent_id: z.string().nullable(),
    interrupted: z.boolean().nullable(),
    tool: z
      .object({
        id: z.string().nullable(),
        name: z.string().nullable(),
        arguments: jsonValue,
        result: jsonValue,
        ok: z.boolean().nullable(),
        latency_ms: z.int().nullable(),
      })
      .nullable(),
    latency_ms: z.int().nullable(),
  })
  .meta({ id: 'Turn' });

const transcript = z
  .object({
    conversation_id: publicIdText('conversation'),
    revision: z.int(),
    final: z.boolean(),
    language: z.string().nullable(),
    turns: z.array(turn),
  })
  .meta({ id: 'Transcript' });

const query = z.strictObject({
  format: z.enum(['json', 'text']).optional().meta({ description: 'Default: by `Accept`, else `json`' }),
  after_index: z.coerce.number().int().min(-1).optional().meta({ description: 'Only turns after this one' }),
});

@ApiTags('Conversations')
@Controller('v1/conversations')
export class TranscriptsController {
  constructor(private readonly transcripts: TranscriptsService) {}

  @Get(':id/transcript')
  @Requires('content:read')
  @Operation({
    id: 'getTranscript',
    summary: 'The transcript, whole',
    description: 'A content read. While the conversation is live it grows (`final` false).',
    answer: transcript,
    problems: [
      'invalid_request',
      'unknown_field',
      'invalid_id',
      'not_found',
      'transcript_absent',
      'not_acceptable',
      'erased',
      'restricted',
    ],
  })
  async get(
    @Caller() caller: Caller,
    @Param('id', { schema: idInput('conversation') }) id: string,
    @Query({ schema: query }) { format, after_index: after }: z.output<typeof query>,
    @Headers('accept') accept: string | undefined,
  ) {
    const wanted = format ?? formatOf(accept);
    const found = await this.transcripts.get(caller, id);
    const turns = after === undefined ? found.turns : found.turns.filter(({ index }) => index > after);
    const headers = { 'cache-control': 'no-store', vary: 'accept' };
    if (wanted === 'json') return new Answer({ ...found, turns }, { headers });
    return new Answer(transcriptText(turns), { headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } });
  }
}

const FORMATS = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'text/plain': 'text',
  'text/*': 'text',
} as const;

/** The first media type of `Accept` that we have, by weight (RFC 9110 12.5.1). Throws `not_acceptable`. */
export function formatOf(accept: string | undefined): 'json' | 'text' {
  if (accept === undefined || accept.trim() === '') return 'json';
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((text) => text.trim().toLowerCase());
    const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    return { type, weight };
  });
  const best = ranges
    .filter(({ type, weight }) => type in FORMATS && weight > 0)
    .sort((a, b) => b.weight - a.weight)[0];
  if (best === undefined) throw new AppError('not_acceptable', 'a transcript comes as application/json or text/plain');
  return FORMATS[best.type as keyof typeof FORMATS];
}
