// For Prometheus: no key, no limit, outside /v1. Not for the public: a proxy in front should not pass it on.
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Answer } from '../common/answer.js';
import { Operation } from '../common/operation.js';
import { Exposition, METRICS_CONTENT_TYPE } from './exposition.js';

@ApiTags('Health')
@Controller()
export class MetricsController {
  constructor(private readonly exposition: Exposition) {}

  @Get('metrics')
  @Operation({
    id: 'getMetrics',
    summary: 'What this process counts, for Prometheus',
    description: 'Without a key, and without ids or words of anybody. Keep it from the public.',
    answer: { mediaTypes: ['text/plain'] },
  })
  async metrics(): Promise<Answer<string>> {
    return new Answer(await this.exposition.text(), { headers: { 'content-type': METRICS_CONTENT_TYPE } });
  }
}
