import { Body, Controller, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller } from '../access/caller.js';
import { IdempotencyKey, type IdempotentRequest } from '../access/idempotency.js';
import { Requires } from '../access/requires.js';
import type { ApiResponse, List } from '../http/api-response.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import {
  agentInput,
  agentList,
  agentPatch,
  agentQuery,
  agentSchema,
  type Agent,
  type AgentInput,
  type AgentPatch,
  type AgentQuery,
} from './agent.schema.js';
import { AgentsService } from './agents.service.js';

const agentId = idInput('agent');

@ApiTags('Agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @Requires('agents:manage')
  @Operation({ id: 'listAgents', summary: 'List agents, oldest first', response: agentList })
  list(@Caller() caller: Caller, @Query({ schema: agentQuery }) query: AgentQuery): Promise<List<Agent>> {
    return this.agents.list(caller, query);
  }

  @Post()
  @Requires('agents:manage')
  @Operation({
    id: 'createAgent',
    summary: 'Create an agent of your own',
    status: 201,
    response: agentSchema,
    problems: ['not_found'],
  })
  create(
    @Caller() caller: Caller,
    @IdempotencyKey() request: IdempotentRequest,
    @Body({ schema: agentInput }) input: AgentInput,
  ): Promise<ApiResponse<Agent>> {
    return this.agents.create(caller, request, input);
  }

  @Get(':id')
  @Requires('agents:manage')
  @Operation({ id: 'getAgent', summary: 'Get an agent', response: agentSchema })
  get(@Caller() caller: Caller, @Param('id', { schema: agentId }) id: string): Promise<ApiResponse<Agent>> {
    return this.agents.get(caller, id);
  }

  @Patch(':id')
  @Requires('agents:manage')
  @Operation({ id: 'updateAgent', summary: 'Rename an agent', response: agentSchema })
  update(
    @Caller() caller: Caller,
    @Param('id', { schema: agentId }) id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: agentPatch }) patch: AgentPatch,
  ): Promise<ApiResponse<Agent>> {
    return this.agents.update(caller, id, { patch, ifMatch });
  }
}
