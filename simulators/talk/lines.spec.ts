import { describe, expect, it } from 'vitest';
import { fill } from './lines.js';

describe('fill', () => {
  it('replaces slots at any depth and keeps unknown ones', () => {
    expect(fill(['A: Hi {first}', { tool: 't', arguments: { n: '{first} {what}', k: 3 } }], { first: 'Maya' })).toEqual(
      ['A: Hi Maya', { tool: 't', arguments: { n: 'Maya {what}', k: 3 } }],
    );
  });
});
