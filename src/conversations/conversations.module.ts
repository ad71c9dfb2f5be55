import { Module } from '@nestjs/common';
import { JournalModule } from '../journal/journal.module.js';
import { ConversationsController } from './conversations.controller.js';
import { ConversationsService } from './conversations.service.js';
import { HistoryController } from './history.controller.js';
import { HistoryService } from './history.service.js';

@Module({
  imports: [JournalModule],
  controllers: [ConversationsController, HistoryController],
  providers: [ConversationsService, HistoryService],
})
export class ConversationsModule {}
