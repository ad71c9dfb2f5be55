// Provides the inbox and the provider accounts with their secrets.
import { Module } from '@nestjs/common';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { Inbox } from './inbox.js';

@Module({ providers: [ProviderAccounts, Inbox], exports: [ProviderAccounts, Inbox] })
export class InboxModule {}
