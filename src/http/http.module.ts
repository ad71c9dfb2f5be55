import { Global, Module } from '@nestjs/common';
import { VaultService } from '../vault/vault.service.js';
import { Cursors } from './cursor.js';
import { SigningKeys } from '../vault/signing-keys.js';

@Global()
@Module({
  providers: [
    { provide: SigningKeys, inject: [VaultService], useFactory: (vault: VaultService) => new SigningKeys(vault) },
    { provide: Cursors, inject: [SigningKeys], useFactory: (keys: SigningKeys) => new Cursors(keys) },
  ],
  exports: [SigningKeys, Cursors],
})
export class HttpModule {}
