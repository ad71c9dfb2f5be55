import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller } from '../access/caller.js';
import { IdempotencyKey, type IdempotentRequest } from '../access/idempotency.js';
import { Requires } from '../access/requires.js';
import type { ApiResponse, List } from '../http/api-response.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import {
  providerAccountInput,
  providerAccountList,
  providerAccountPatch,
  providerAccountQuery,
  providerAccountSchema,
  type ProviderAccountAnswer,
  type ProviderAccountInput,
  type ProviderAccountPatch,
  type ProviderAccountQuery,
} from './provider-account.schema.js';
import { ProviderAccountsService } from './provider-accounts.service.js';

const accountId = idInput('providerAccount');

@ApiTags('Provider accounts')
@Controller('v1/provider-accounts')
export class ProviderAccountsController {
  constructor(private readonly accounts: ProviderAccountsService) {}

  @Get()
  @Requires('provider-accounts:manage')
  @Operation({ id: 'listProviderAccounts', summary: 'Provider accounts, oldest first', response: providerAccountList })
  list(
    @Caller() caller: Caller,
    @Query({ schema: providerAccountQuery }) query: ProviderAccountQuery,
  ): Promise<List<ProviderAccountAnswer>> {
    return this.accounts.list(caller, query);
  }

  @Post()
  @Requires('provider-accounts:manage')
  @Operation({
    id: 'createProviderAccount',
    summary: 'Register a provider account; the response contains its webhook URL',
    status: 201,
    response: providerAccountSchema,
    problems: ['not_found', 'address_not_allowed'],
  })
  create(
    @Caller() caller: Caller,
    @IdempotencyKey() attempt: IdempotentRequest,
    @Body({ schema: providerAccountInput }) input: ProviderAccountInput,
  ): Promise<ApiResponse<ProviderAccountAnswer>> {
    return this.accounts.create(caller, attempt, input);
  }

  @Get(':id')
  @Requires('provider-accounts:manage')
  @Operation({
    id: 'getProviderAccount',
    summary: 'One provider account, without its secrets',
    response: providerAccountSchema,
  })
  get(
    @Caller() caller: Caller,
    @Param('id', { schema: accountId }) id: string,
  ): Promise<ApiResponse<ProviderAccountAnswer>> {
    return this.accounts.get(caller, id);
  }

  @Patch(':id')
  @Requires('provider-accounts:manage')
  @Operation({
    id: 'updateProviderAccount',
    summary: 'Change a provider account',
    response: providerAccountSchema,
    problems: ['conflict', 'address_not_allowed'],
  })
  update(
    @Caller() caller: Caller,
    @Param('id', { schema: accountId }) id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: providerAccountPatch }) patch: ProviderAccountPatch,
  ): Promise<ApiResponse<ProviderAccountAnswer>> {
    return this.accounts.update(caller, id, { patch, ifMatch });
  }

  @Delete(':id')
  @Requires('provider-accounts:manage')
  @Operation({ id: 'deleteProviderAccount', summary: 'Delete a provider account and its secrets', status: 204 })
  remove(@Caller() caller: Caller, @Param('id', { schema: accountId }) id: string): Promise<void> {
    return this.accounts.remove(caller, id);
  }
}
