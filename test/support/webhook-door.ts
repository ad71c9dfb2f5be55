// The real webhook door, called without HTTP: the API's modules for it, with the API's login.
import { NestFactory } from '@nestjs/core';
import { Log } from '../../src/common/log.js';
import { ConfigModule } from '../../src/config/config.module.js';
import type { Config } from '../../src/config/config.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { WebhookDoor } from '../../src/inbox/webhook-door.js';
import { WebhooksModule } from '../../src/inbox/webhooks.module.js';
import { VaultModule } from '../../src/vault/vault.module.js';

/** Opens the door; close it afterwards. */
export async function openWebhookDoor(config: Config, log = new Log('silent')) {
  const imports = [
    ConfigModule.of(config, log),
    DatabaseModule.forApi(),
    VaultModule.as('colloquy_keystore_api'),
    WebhooksModule,
  ];
  const api = await NestFactory.createApplicationContext({ module: class DoorModule {}, imports }, { logger: false });
  return { door: api.get(WebhookDoor, { strict: false }), close: () => api.close() };
}
