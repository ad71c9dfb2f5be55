// Liveness and readiness for orchestrators and load balancers: without authentication or rate limit.
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import { Operation } from '../http/openapi/operation.js';
import { HealthProbes, type ProbeState } from './probes.js';

const alive = z.object({ status: z.literal('ok') }).meta({ id: 'Alive' });
const ready = z
  .object({ status: z.literal('ready'), checks: z.record(z.string(), z.enum(['up', 'down'])) })
  .meta({ id: 'Ready' });

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly probes: HealthProbes) {}

  @Get('healthz')
  @Operation({ id: 'getHealth', summary: 'Check that the process runs', response: alive })
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Operation({
    id: 'getReadiness',
    summary: 'Check that webhooks can be stored; lists the state of each dependency',
    description:
      '503, with `checks` in the problem document, if PostgreSQL or the keystore is unavailable: no webhook can be stored then. Temporal, the search database and the object store only appear in `checks`.',
    response: ready,
    problems: ['shutting_down', 'storage_unavailable', 'keystore_unavailable'],
  })
  async readiness(): Promise<{ status: 'ready'; checks: Record<string, ProbeState> }> {
    if (this.probes.isDraining) {
      throw new AppError('shutting_down', 'this process is stopping', { headers: { 'retry-after': '2' } });
    }
    const { checks, failed } = await this.probes.check();
    const [first] = failed;
    if (first === undefined) return { status: 'ready', checks };
    const names = failed.map(({ name }) => name).join(', ');
    throw new AppError(first.code, `unavailable: ${names}`, { members: { checks }, headers: { 'retry-after': '2' } });
  }
}
