import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Caller } from '../access/caller.js';
import { Requires } from '../access/requires.js';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, publicIdText, timeText } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import { HistoryService } from './history.service.js';

const historyEntry = z
  .object({
    id: publicIdText('journalEntry'),
    time: timeText,
    action: z.string(),
    actor: z.object({ type: z.enum(['key', 'workflow', 'provider', 'system']), id: z.string().nullable() }),
    purpose: z.string().nullable(),
    reason: z.string().nullable(),
    workflow_id: z.string().nullable(),
    changes: z.array(z.string()).meta({ description: 'Names of what changed, never the content' }),
    revision: z.int().nullable(),
  })
  .meta({ id: 'HistoryEntry' });

const query = z.strictObject(pageQuery);

@ApiTags('Conversations')
@Controller('v1/conversations')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  @Get(':id/history')
  @Requires('conversations:read')
  @Operation({
    id: 'listConversationHistory',
    summary: 'List all changes and content reads, oldest first',
    response: listSchema('HistoryEntryList', historyEntry),
    problems: [
      'invalid_request',
      'unknown_field',
      'invalid_id',
      'not_found',
      'erased',
      'invalid_cursor',
      'cursor_mismatch',
    ],
  })
  list(
    @Caller() caller: Caller,
    @Param('id', { schema: idInput('conversation') }) id: string,
    @Query({ schema: query }) page: z.output<typeof query>,
  ) {
    return this.history.list(caller, id, { limit: page.limit, cursor: page.cursor });
  }
}
