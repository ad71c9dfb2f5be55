import { describe, expect, it } from 'vitest';
import { lastError } from './node-service.js';

describe('lastError', () => {
  it('finds the last error of a JSON log with its cause', () => {
    const log = [
      '{"level":50,"msg":"first"}',
      '{"level":60,"msg":"start failed","err":{"message":"no such key","stack":"Error: …"}}',
      '{"level":30,"msg":"bye"}',
      '',
    ].join('\n');
    expect(lastError(log)).toBe('start failed: no such key');
  });

  it('finds the message of an uncaught error, without its stack', () => {
    const log =
      "file:///x.js:3\nthrow new Error('no luck')\n^\n\nError: no luck\n    at file:///x.js:3:7\n\nNode.js v20.20.2\n";
    expect(lastError(log)).toBe('Error: no luck');
  });

  it('falls back to the last plain line; undefined if the log has no errors', () => {
    expect(lastError('unknown command\n')).toBe('unknown command');
    expect(lastError('{"level":30,"msg":"worker ready"}\n{"level":50,"ms')).toBeUndefined();
    expect(lastError('')).toBeUndefined();
  });
});
