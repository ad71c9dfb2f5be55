import { Controller, Get, Headers, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Caller } from '../access/caller.js';
import { Requires } from '../access/requires.js';
import { listSchema, pageQuery } from '../http/api-response.js';
import { idInput, timeText } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import { listFilters, liveFilters } from './conversation-filters.js';
import { anyConversation, basicConversation } from './conversation.schema.js';
import { ConversationsService } from './conversations.service.js';

const listQuery = z.strictObject({
  ...pageQuery,
  ...listFilters,
  sort: z.enum(['-start_time', 'start_time']).default('-start_time'),
  view: z.enum(['basic', 'full']).default('basic').meta({ description: '`full` is a content read' }),
  include: z.enum(['total']).optional(),
});

const activeQuery = z.strictObject(liveFilters);
const active = z
  .object({
    as_of: timeText,
    has_more: z.boolean().meta({ description: 'More than the 1,000 newest shown here are live: narrow the filter' }),
    data: z.array(
      basicConversation
        .extend({ elapsed_ms: z.int(), holder: z.string(), last_turn_at: timeText.nullable() })
        .meta({ id: 'ActiveConversation' }),
    ),
  })
  .meta({ id: 'ActiveConversations' });
const conversationList = listSchema('ConversationList', anyConversation).extend({
  total: z.object({ value: z.int(), exact: z.boolean() }).optional(),
});
export const conversationId = idInput('conversation');

@ApiTags('Conversations')
@Controller('v1/conversations')
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Get()
  @Requires('conversations:read')
  @Operation({
    id: 'listConversations',
    summary: 'List conversations, newest start first',
    description: 'Repeat a parameter for OR; different parameters are joined by AND.',
    response: conversationList,
    problems: ['invalid_request', 'unknown_field', 'invalid_id', 'invalid_cursor', 'cursor_mismatch'],
  })
  list(@Caller() caller: Caller, @Query({ schema: listQuery }) query: z.output<typeof listQuery>) {
    const { limit, cursor, sort, view, include, ...conditions } = query;
    return this.conversations.list(caller, {
      filter: conditions,
      limit,
      cursor,
      sort,
      view,
      total: include === 'total',
    });
  }

  @Get('active')
  @Requires('conversations:read')
  @Operation({
    id: 'listActiveConversations',
    summary: 'List live conversations',
    response: active,
    problems: ['invalid_request', 'unknown_field', 'invalid_id'],
  })
  active(@Caller() caller: Caller, @Query({ schema: activeQuery }) query: z.output<typeof activeQuery>) {
    return this.conversations.active(caller, query);
  }

  @Get(':id')
  @Requires('conversations:read')
  @Operation({
    id: 'getConversation',
    summary: 'Get a conversation',
    description: 'All fields for keys that may read content (a content read); the basic view for others.',
    response: anyConversation,
    problems: ['invalid_id', 'not_found', 'erased', 'restricted'],
  })
  get(
    @Caller() caller: Caller,
    @Param('id', { schema: conversationId }) id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
  ) {
    return this.conversations.get(caller, id, ifNoneMatch);
  }
}
