// The way in: accounts with their secrets and the inbox, in the role that may append and not much else.
import { Module } from '@nestjs/common';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { Inbox } from './inbox.js';

@Module({ providers: [ProviderAccounts, Inbox], exports: [ProviderAccounts, Inbox] })
export class InboxModule {}
