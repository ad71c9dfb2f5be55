// The API for facts that could not be applied.
import { Module } from '@nestjs/common';
import { ParkedFactsController } from './parked-facts.controller.js';
import { ParkedFactsRetry } from './parked-facts-retry.js';
import { ParkedFactsService } from './parked-facts.service.js';

@Module({ controllers: [ParkedFactsController], providers: [ParkedFactsRetry, ParkedFactsService] })
export class ParkedFactsModule {}
