import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller } from '../access/caller.js';
import { IdempotencyKey, type IdempotentRequest } from '../access/idempotency.js';
import { Requires } from '../access/requires.js';
import type { ApiResponse, List } from '../http/api-response.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import {
  parkedFactList,
  parkedFactQuery,
  parkedFactSchema,
  retriedSchema,
  retryInput,
  type ParkedFact,
  type ParkedFactQuery,
  type RetriedFacts,
  type RetryInput,
} from './parked-fact.schema.js';
import { ParkedFactsRetry } from './parked-facts-retry.js';
import { ParkedFactsService } from './parked-facts.service.js';

const factId = idInput('parkedFact');

@ApiTags('Parked facts')
@Controller('v1/parked-facts')
export class ParkedFactsController {
  constructor(
    private readonly facts: ParkedFactsService,
    private readonly bulk: ParkedFactsRetry,
  ) {}

  @Get()
  @Requires('operations:manage')
  @Operation({
    id: 'listParkedFacts',
    summary: 'List facts that could not be applied, without their content, oldest first',
    response: parkedFactList,
  })
  list(
    @Caller() caller: Caller,
    @Query({ schema: parkedFactQuery }) query: ParkedFactQuery,
  ): Promise<List<ParkedFact>> {
    return this.facts.list(caller, query);
  }

  @Post('retry')
  @Requires('operations:manage')
  @Operation({
    id: 'retryParkedFacts',
    summary: 'Retry parked facts: all, or those with a certain reason or account',
    status: 202,
    response: retriedSchema,
  })
  retryAll(
    @Caller() caller: Caller,
    @IdempotencyKey() request: IdempotentRequest,
    @Body({ schema: retryInput }) input: RetryInput,
  ): Promise<ApiResponse<RetriedFacts>> {
    return this.bulk.retryAll(caller, request, input);
  }

  @Post(':id/retry')
  @Requires('operations:manage')
  @Operation({
    id: 'retryParkedFact',
    summary: 'Retry a parked fact',
    status: 202,
    response: parkedFactSchema,
    problems: ['invalid_state'],
  })
  retry(
    @Caller() caller: Caller,
    @IdempotencyKey() request: IdempotentRequest,
    @Param('id', { schema: factId }) id: string,
  ): Promise<ApiResponse<ParkedFact>> {
    return this.facts.retry(caller, request, id);
  }
}
