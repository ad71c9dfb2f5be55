// The API's part of search: finds candidates.
import { Module } from '@nestjs/common';
import { LookUps } from './look-ups.js';

@Module({ providers: [LookUps], exports: [LookUps] })
export class LookUpsModule {}
