// The webhook route. It needs no API key; the signature over the raw bytes is verified instead.
import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '../access/requires.js';
import { Operation } from '../http/openapi/operation.js';
import { publicIdText } from '../http/id-schema.js';
import { note } from '../http/request-notes.js';
import { WebhookDoor } from './webhook-door.js';

const EMPTY = Buffer.alloc(0);
const accountId = publicIdText('providerAccount');
const received = z.object({}).meta({ id: 'WebhookReceived' });

@ApiTags('Webhooks')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly door: WebhookDoor) {}

  @Post(':provider_account_id')
  @Public({ raw: true })
  @ApiBody({ description: "The provider's payload, up to 64 MiB", schema: { type: 'object' } })
  @Operation({
    id: 'receiveWebhook',
    summary: 'Receive a webhook; 200 once it is stored, and for duplicates',
    response: received,
    problems: ['invalid_signature', 'invalid_payload', 'storage_unavailable', 'keystore_unavailable'],
  })
  async receive(
    @Param('provider_account_id', { schema: accountId }) id: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { body, headers, heldBytes } = request;
    const storing = this.door.receive(id, { rawBody: Buffer.isBuffer(body) ? body : EMPTY, headers });
    const receipt = await (heldBytes?.keepFor(storing) ?? storing);
    note(request, { ...receipt });
    return {};
  }
}
