import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { RouteTable } from './route-table.js';

describe('RouteTable', () => {
  it('knows the methods of a path', async () => {
    const app = fastify();
    const table = new RouteTable();
    table.record(app);
    const handler = (): string => '';
    app.get('/v1/things/:id', handler);
    app.patch('/v1/things/:id', handler);
    app.post('/v1/things.all', handler);
    await app.ready();
    expect(table.methodsOf('/v1/things/a?x=1')).toEqual(['GET', 'HEAD', 'PATCH']);
    expect(table.methodsOf('/v1/things.all')).toEqual(['POST']);
    expect(table.methodsOf('/v1/thingsXall')).toEqual([]);
    expect(table.methodsOf('/v1/things/a/b')).toEqual([]);
    expect(table.methodsOf('/v1/things/')).toEqual([]);
    await app.close();
  });
});
