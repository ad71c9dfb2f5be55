// GET /v1/conversations/{id}/audio.
import { Readable } from 'node:stream';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Caller } from '../access/caller.js';
import { Requires } from '../access/requires.js';
import { isUnchanged } from '../http/api-response.js';
import { audioTypeOf } from '../common/audio-types.js';
import { AppError } from '../common/errors.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import { isRangeWanted, rangeOf } from './range.js';
import { RecordingsService, type FoundRecording } from './recordings.service.js';

const query = z.strictObject({
  variant: z.enum(['mixed', 'agent', 'customer', 'redacted']).optional().meta({ description: 'Default `mixed`' }),
});

@ApiTags('Conversations')
@Controller('v1/conversations')
export class RecordingsController {
  constructor(private readonly recordings: RecordingsService) {}

  @Get(':id/audio')
  @Requires('content:read')
  @Operation({
    id: 'getAudio',
    summary: 'The recording',
    description:
      'A content read. HEAD and single ranges are supported; for several or malformed ranges the whole recording is sent.',
    response: { mediaTypes: ['audio/*'] },
    otherStatuses: { 206: { description: 'The requested range', mediaTypes: ['audio/*'] } },
    problems: [
      ...(['invalid_request', 'unknown_field', 'invalid_id', 'not_found', 'audio_absent', 'audio_pending'] as const),
      ...(['range_not_satisfiable', 'erased', 'restricted'] as const),
    ],
  })
  async get(
    @Caller() caller: Caller,
    @Param('id', { schema: idInput('conversation') }) id: string,
    @Query({ schema: query }) { variant }: z.output<typeof query>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const recording = await this.recordings.find(caller, id, variant);
    const { bytes, etag } = recording;
    reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'no-store' });
    if (isUnchanged(request.headers['if-none-match'], etag)) return void (await reply.code(304).send());
    const { start, end, isPart } = wantedBytes(request, recording);
    const type = audioTypeOf(recording.contentType) ?? 'application/octet-stream';
    reply.headers({ 'content-type': type, 'content-length': String(end - start + 1) });
    if (isPart) reply.code(206).header('content-range', `bytes ${start}-${end}/${bytes}`);
    // HEAD sends no content, so it is not a content read. An empty stream, because without a body Fastify would send length 0.
    if (request.method === 'HEAD') return void (await reply.send(Readable.from([])));
    await reply.send(await this.recordings.read(caller, recording, start, end));
  }
}

function wantedBytes(
  request: FastifyRequest,
  { bytes, etag }: FoundRecording,
): { start: number; end: number; isPart: boolean } {
  const { range, 'if-range': ifRange } = request.headers;
  const wanted = isRangeWanted(typeof ifRange === 'string' ? ifRange : undefined, etag)
    ? rangeOf(range, bytes)
    : rangeOf(undefined, bytes);
  if (wanted.kind === 'unsatisfiable') {
    throw new AppError('range_not_satisfiable', 'the range lies outside the recording', {
      headers: { 'content-range': `bytes */${bytes}` },
    });
  }
  return wanted.kind === 'part'
    ? { start: wanted.start, end: wanted.end, isPart: true }
    : { start: 0, end: bytes - 1, isPart: false };
}
