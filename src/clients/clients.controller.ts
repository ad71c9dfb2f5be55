import { Body, Controller, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Caller } from '../access/caller.js';
import { IdempotencyKey, type IdempotentRequest } from '../access/idempotency.js';
import { Requires } from '../access/requires.js';
import type { ApiResponse, List } from '../http/api-response.js';
import { idInput } from '../http/id-schema.js';
import { Operation } from '../http/openapi/operation.js';
import {
  clientInput,
  clientList,
  clientPatch,
  clientQuery,
  clientSchema,
  type Client,
  type ClientInput,
  type ClientPatch,
} from './client.schema.js';
import { ClientsService } from './clients.service.js';

const clientId = idInput('client');

@ApiTags('Clients')
@Controller('v1/clients')
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  @Get()
  @Requires('clients:manage')
  @Operation({ id: 'listClients', summary: 'List the clients of the key, oldest first', response: clientList })
  list(
    @Caller() caller: Caller,
    @Query({ schema: clientQuery }) query: z.infer<typeof clientQuery>,
  ): Promise<List<Client>> {
    return this.clients.list(caller, query);
  }

  @Post()
  @Requires('clients:manage')
  @Operation({ id: 'createClient', summary: 'Create a client', status: 201, response: clientSchema })
  create(
    @Caller() caller: Caller,
    @IdempotencyKey() request: IdempotentRequest,
    @Body({ schema: clientInput }) input: ClientInput,
  ): Promise<ApiResponse<Client>> {
    return this.clients.create(caller, request, input);
  }

  @Get(':id')
  @Requires('clients:manage')
  @Operation({ id: 'getClient', summary: 'Get a client', response: clientSchema })
  get(@Caller() caller: Caller, @Param('id', { schema: clientId }) id: string): Promise<ApiResponse<Client>> {
    return this.clients.get(caller, id);
  }

  @Patch(':id')
  @Requires('clients:manage')
  @Operation({ id: 'updateClient', summary: 'Change a client', response: clientSchema })
  update(
    @Caller() caller: Caller,
    @Param('id', { schema: clientId }) id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: clientPatch }) patch: ClientPatch,
  ): Promise<ApiResponse<Client>> {
    return this.clients.update(caller, id, { patch, ifMatch });
  }
}
