import { describe, expect, it } from 'vitest';
import { lastError } from './node-service.js';

describe('lastError', () => {
  it('takes the last complaint of a JSON log with its cause, not what came after it', () => {
    const log = [
      '{"level":50,"msg":"first"}',
      '{"level":60,"msg":"start failed","err":{"message":"no such key","stack":"Error: …"}}',
      '{"level":30,"msg":"bye"}',
      '',
    ].join('\n');
    expect(lastError(log)).toBe('start failed: no such key');
  });

  it('takes the message of an uncaught error, not its stack', () => {
    const log =
      "file:///x.js:3\nthrow new Error('no luck')\n^\n\nError: no luck\n    at file:///x.js:3:7\n\nNode.js v20.20.2\n";
    expect(lastError(log)).toBe('Error: no luck');
  });

  it('falls back to the last plain line, and says nothing when the log only has good news', () => {
    expect(lastError('unknown command\n')).toBe('unknown command');
    expect(lastError('{"level":30,"msg":"worker ready"}\n{"level":50,"ms')).toBeUndefined();
    expect(lastError('')).toBeUndefined();
  });
});
