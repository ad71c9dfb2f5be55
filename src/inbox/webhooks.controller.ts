// The door that providers knock at: no key, the signature is checked on the raw bytes.
import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '../access/requires.js';
import { Operation } from '../http/openapi/operation.js';
import { publicIdText } from '../http/id-schema.js';
import { note } from '../http/request-notes.js';
import { WebhookDoor } from './webhook-door.js';

const NOTHING = Buffer.alloc(0);
const accountId = publicIdText('providerAccount');
const received = z.object({}).meta({ id: 'WebhookReceived' });

@ApiTags('Webhooks')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly door: WebhookDoor) {}

  @Post(':provider_account_id')
  @Public({ raw: true })
  @ApiBody({ description: "The provider's bytes, 64 MiB at most", schema: { type: 'object' } })
  @Operation({
    id: 'receiveWebhook',
    summary: "A provider's webhook: 200 once it is on disk, and for what was known already",
    response: received,
    problems: ['invalid_signature', 'invalid_payload', 'storage_unavailable', 'keystore_unavailable'],
  })
  async receive(
    @Param('provider_account_id', { schema: accountId }) id: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { body, headers, heldBytes } = request;
    const storing = this.door.receive(id, { rawBody: Buffer.isBuffer(body) ? body : NOTHING, headers });
    const receipt = await (heldBytes?.keepFor(storing) ?? storing);
    note(request, { ...receipt });
    return {};
  }
}
