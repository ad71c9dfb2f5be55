import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ApiResponse, List } from '../http/api-response.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import {
  apiKeyInput,
  apiKeyList,
  apiKeyPatch,
  apiKeyQuery,
  apiKeySchema,
  apiKeyWithSecret,
  type ApiKey,
  type ApiKeyInput,
  type ApiKeyPatch,
  type ApiKeyWithSecret,
} from './api-key.schema.js';
import { ApiKeysService } from './api-keys.service.js';
import { Caller } from '../access/caller.js';
import { IdempotencyKey, type IdempotentRequest } from '../access/idempotency.js';
import { Requires, RequiresKey } from '../access/requires.js';

const keyId = idInput('apiKey');

@ApiTags('API keys')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @Requires('api-keys:manage')
  @Operation({
    id: 'listApiKeys',
    summary: 'List the keys that may see no other clients than the calling key',
    response: apiKeyList,
  })
  list(
    @Caller() caller: Caller,
    @Query({ schema: apiKeyQuery }) query: z.infer<typeof apiKeyQuery>,
  ): Promise<List<ApiKey>> {
    return this.keys.list(caller, query);
  }

  @Post()
  @Requires('api-keys:manage')
  @Operation({
    id: 'createApiKey',
    summary: 'Create a key; its secret is shown once',
    status: 201,
    response: apiKeyWithSecret,
    problems: ['not_found'],
  })
  create(
    @Caller() caller: Caller,
    @IdempotencyKey() request: IdempotentRequest,
    @Body({ schema: apiKeyInput }) input: ApiKeyInput,
  ): Promise<ApiResponse<ApiKeyWithSecret>> {
    return this.keys.create(caller, request, input);
  }

  @Get(':id')
  @Requires('api-keys:manage')
  @Operation({ id: 'getApiKey', summary: 'Get a key', response: apiKeySchema })
  get(@Caller() caller: Caller, @Param('id', { schema: keyId }) id: string): Promise<ApiResponse<ApiKey>> {
    return this.keys.get(caller, id);
  }

  @Patch(':id')
  @Requires('api-keys:manage')
  @Operation({ id: 'updateApiKey', summary: 'Change a key', response: apiKeySchema, problems: ['invalid_state'] })
  update(
    @Caller() caller: Caller,
    @Param('id', { schema: keyId }) id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: apiKeyPatch }) patch: ApiKeyPatch,
  ): Promise<ApiResponse<ApiKey>> {
    return this.keys.update(caller, id, { patch, ifMatch });
  }

  @Delete(':id')
  @Requires('api-keys:manage')
  @Operation({ id: 'revokeApiKey', summary: 'Revoke a key, immediately and permanently', status: 204 })
  revoke(@Caller() caller: Caller, @Param('id', { schema: keyId }) id: string): Promise<void> {
    return this.keys.revoke(caller, id);
  }

  @Post(':id/rotate')
  @RequiresKey()
  @Operation({
    id: 'rotateApiKey',
    summary: 'Replace the secret of the calling key; the new one is shown once, the old one never works again',
    description: 'Every key may rotate itself, and no other key.',
    response: apiKeyWithSecret,
  })
  rotate(
    @Caller() caller: Caller,
    @Param('id', { schema: keyId }) id: string,
    @IdempotencyKey() request: IdempotentRequest,
  ): Promise<ApiResponse<ApiKeyWithSecret>> {
    return this.keys.rotate(caller, request, id);
  }

  @Post(':id/approve')
  @Requires('api-keys:manage')
  @ApiHeader({ name: 'If-Match', required: false, description: 'ETag of the key as read; 412 if it has changed' })
  @Operation({
    id: 'approveApiKey',
    summary: 'Approve a key as a second admin; it works from then on',
    response: apiKeySchema,
    problems: ['invalid_state', 'precondition_failed'],
  })
  approve(
    @Caller() caller: Caller,
    @Param('id', { schema: keyId }) id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @IdempotencyKey() request: IdempotentRequest,
  ): Promise<ApiResponse<ApiKey>> {
    return this.keys.approve(caller, request, id, ifMatch);
  }
}
