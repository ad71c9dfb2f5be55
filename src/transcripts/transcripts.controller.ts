// GET /v1/conversations/{id}/transcript.
import { Controller, Get, Headers, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Caller } from '../access/caller.js';
import { Requires } from '../access/requires.js';
import { ApiResponse, etagOf, isUnchanged } from '../http/api-response.js';
import { idInput, publicIdText } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import { formatOf, FORMATS, MEDIA_TYPES, type Format } from './formats.js';
import { subRip, webVtt } from './subtitles.js';
import { transcriptText } from './transcript-text.js';
import { TranscriptsService, type FoundTranscript, type Transcript } from './transcripts.service.js';

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

const transcriptSchema = z
  .object({
    conversation_id: publicIdText('conversation'),
    revision: z.int(),
    final: z.boolean(),
    language: z.string().nullable(),
    turns: z.array(turn),
  })
  .meta({ id: 'Transcript' });

const query = z.strictObject({
  format: z.enum(FORMATS).optional().meta({ description: 'Default: by `Accept`, else `json`' }),
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
    summary: 'The whole transcript',
    description:
      'A content read. `final` is false while the conversation is live and its transcript grows, and if only the live ' +
      'transcript ever arrived. Choose with `format` or `Accept`: JSON, text with one line per turn (`text/plain`), or subtitles ' +
      'of the spoken turns (`application/x-subrip`, `text/vtt`).',
    response: transcriptSchema,
    otherMediaTypes: FORMATS.filter((format) => format !== 'json').map((format) => MEDIA_TYPES[format]),
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
    @Query({ schema: query }) { format, after_index: after = -1 }: z.output<typeof query>,
    @Headers('accept') accept: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
  ) {
    const wanted = format ?? formatOf(accept);
    const found = await this.transcripts.find(caller, id);
    const extras = {
      etag: etagOfTranscript(found, wanted, after),
      headers: { 'cache-control': 'no-store', vary: 'accept', 'content-type': `${MEDIA_TYPES[wanted]}; charset=utf-8` },
    };
    // A 304 sends no content, so it is not a content read.
    if (isUnchanged(ifNoneMatch, extras.etag)) return new ApiResponse(undefined, extras);
    if (wanted === 'json' && after === -1)
      return new ApiResponse(await this.transcripts.openAsJson(caller, found), extras);
    return new ApiResponse(rendered(await this.transcripts.open(caller, found), wanted, after), extras);
  }
}

/** Identifies these exact bytes: the same transcript in another format has another entity tag. */
const etagOfTranscript = (
  { revision, final, conversation: { language } }: FoundTranscript,
  format: Format,
  after: number,
): string => etagOf([revision, final ? 'final' : 'live', language, format, after].join('-'));

function rendered(found: Transcript, format: Format, after: number): Transcript | string {
  switch (format) {
    case 'json':
      return { ...found, turns: found.turns.filter(({ index }) => index > after) };
    case 'text':
      return transcriptText(found.turns.filter(({ index }) => index > after));
    case 'srt':
      return subRip(found.turns, after);
    case 'vtt':
      return webVtt(found.turns, after);
  }
}
