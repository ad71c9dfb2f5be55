import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from './errors.js';
import { Log, NestLog } from './log.js';

function logTo(level: string): { log: Log; lines: () => Record<string, unknown>[] } {
  let text = '';
  const destination = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  const lines = (): Record<string, unknown>[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: new Log(level, destination), lines };
}

/** As PostgreSQL formats it, with a personal value in the detail. */
const quoting = (): Error =>
  Object.assign(new Error('invalid input: "+12025550142"'), {
    name: 'error',
    code: '22P02',
    detail: 'Key (number)=(+12025550142)',
  });

describe('Log', () => {
  it('writes one JSON line per event', () => {
    const { log, lines } = logTo('info');
    log.info('delivery rejected', { provider: 'retell' });
    log.debug('not seen');
    expect(lines()).toEqual([{ level: 30, time: expect.any(String), provider: 'retell', msg: 'delivery rejected' }]);
  });

  it('logs code and name of foreign errors, never their message, at any level', () => {
    for (const level of ['info', 'debug']) {
      const { log, lines } = logTo(level);
      const wrapped = new AppError('storage_unavailable', 'the database cannot be reached', { cause: quoting() });
      log.error('request failed', {}, wrapped);
      log.error('request failed', {}, quoting());
      new NestLog(log).error(quoting());
      expect(JSON.stringify(lines())).not.toContain('2025550142');
      expect(lines()[0]?.['err']).toMatchObject({
        code: 'storage_unavailable',
        message: 'the database cannot be reached',
        cause: { name: 'error', code: '22P02' },
      });
    }
  });

  it('logs stacks only at debug', () => {
    const [info, debug] = [logTo('info'), logTo('debug')];
    for (const { log } of [info, debug]) log.error('failed', {}, new TypeError('secret'));
    expect(info.lines()[0]?.['err']).toEqual({ name: 'TypeError' });
    expect(debug.lines()[0]?.['err']).toEqual({ name: 'TypeError', stack: expect.any(Array) });
  });
});
