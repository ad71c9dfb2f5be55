import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { idInput } from './id-schema.js';
import { publicId } from '../common/ids.js';
import { InputPipe } from './input-pipe.js';

const UUID = '0192f5a0-4d3c-7a51-9c8e-1f2a3b4c5d6e';
const schema = z.strictObject({
  client_id: idInput('client'),
  tags: z.record(z.string(), z.number()).optional(),
  list: z.array(z.strictObject({ a: z.number() })).optional(),
});
const parse = (value: unknown, type: 'body' | 'query' = 'body'): Promise<unknown> =>
  new InputPipe().transform(value, { type, schema });
const valid = { client_id: publicId('client', UUID) };

describe('InputPipe', () => {
  it('returns the parsed input', async () => {
    expect(await parse(valid)).toEqual({ client_id: UUID });
  });

  it('points into the body (RFC 6901)', async () => {
    await expect(parse({ ...valid, tags: { 'a/b~c': 'x' } })).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/tags/a~1b~0c', detail: expect.any(String) }],
    });
  });

  it('names each unknown field, nested ones too', async () => {
    await expect(parse({ ...valid, x: 1, y: 2, list: [{ a: 1, b: 2 }] })).rejects.toMatchObject({
      code: 'unknown_field',
      errors: [{ pointer: '/list/0/b' }, { pointer: '/x' }, { pointer: '/y' }],
    });
  });

  it('names the parameter of a query', async () => {
    await expect(parse({ client_id: 'cl_x' }, 'query')).rejects.toMatchObject({
      code: 'invalid_id',
      errors: [{ parameter: 'client_id', detail: 'must be an id that begins with cl_' }],
    });
  });

  it('never repeats the value', async () => {
    const error = await parse({ client_id: 'canary', x: 'canary' }).catch((refused: unknown) => refused);
    expect(JSON.stringify(error)).not.toContain('canary');
  });
});
