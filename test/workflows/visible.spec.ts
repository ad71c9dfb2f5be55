// What users of the Temporal UI see of a conversation.
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { install, type Installation } from '../support/installation.js';
import { CANARY_CALL, canariesIn, textOf } from './canaries.js';

let colloquy: Installation;
let handle: WorkflowHandle;
let conversationId: string;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
  const live = await colloquy.liveCall(CANARY_CALL);
  handle = live.handle;
  conversationId = publicId('conversation', (await colloquy.call(live.callId)).id);
  colloquy.finish(live.callId, CANARY_CALL);
  await colloquy.send('call_ended', live.callId);
  await handle.result();
});
afterAll(() => colloquy.close());

describe('a workflow in the Temporal UI', () => {
  it('has ids and enumerations as search attributes, and no memo', async () => {
    const { typedSearchAttributes, memo } = await handle.describe();
    const attributes = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    // BuildIds is Temporal's own.
    expect(Object.fromEntries(attributes.filter(([name]) => name !== 'BuildIds'))).toEqual({
      ClientId: publicId('client', colloquy.clientId),
      Provider: 'retell',
      Channel: 'phone',
    });
    expect(memo ?? {}).toEqual({});
  });

  it('has a summary line, and links to its record as details', async () => {
    const description = await handle.describe();
    expect(await description.staticSummary()).toBe('retell · phone · inbound');
    expect(await description.staticDetails()).toContain(`/v1/conversations/${conversationId}`);
  });

  it('shows its status in its current details', async () => {
    const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toMatch(/^\*\*settled\*\*/);
    expect(metadata.currentDetails).toMatch(/\| audio \| present \|/);
  });

  it('summarises every activity and timer', async () => {
    const { events = [] } = await handle.fetchHistory();
    const steps = (events ?? []).filter(
      ({ activityTaskScheduledEventAttributes: activity, timerStartedEventAttributes: timer }) => activity ?? timer,
    );
    expect(steps).toHaveLength(3);
    for (const { userMetadata } of steps) expect(userMetadata?.summary?.data?.length).toBeGreaterThan(5);
  });

  it('contains no name, number or word of the call in history, description and details', async () => {
    const history = historyToJSON(await handle.fetchHistory());
    const { raw } = await handle.describe();
    expect(canariesIn(textOf(history))).toEqual([]);
    expect(canariesIn(textOf(JSON.stringify(raw)))).toEqual([]);
  });
});
