// Starts and wakes the workflow of a conversation. With the relay, the only user of the Temporal client.
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { publicId } from '../common/ids.js';
import type { ConversationInput, Wake } from '../../workflows/messages.js';
import { QUEUE, SEARCH_ATTRIBUTE } from './settings.js';

/** What the Temporal UI shows of a conversation: ids and enumerations. */
export interface StartedConversation {
  id: string;
  client_id: string;
  provider: string;
  channel: string;
  direction: string | null;
}

const WORKFLOW = 'conversation';
const SIGNAL = 'wake';
/** Less than the grace of a stopping process, which waits for calls under way. */
const DEADLINE_MS = 5_000;

export const workflowIdOf = (conversationId: string): string =>
  `conversation/${publicId('conversation', conversationId)}`;

export class ConversationStarter {
  constructor(
    private readonly client: Client,
    /** Eager: the first task goes straight to a worker on the same connection, without a round through matching. */
    private readonly options: { eager: boolean; publicUrl: string },
  ) {}

  /** Starts the workflow unless it runs; false when it did. A closed run is no hindrance. */
  async start(conversation: StartedConversation): Promise<boolean> {
    const options = { ...this.optionsOf(conversation), requestEagerStart: this.options.eager };
    try {
      await this.bounded(() => this.client.workflow.start(WORKFLOW, options));
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  /** Tells the workflow, and starts one if none runs. */
  async wake(conversation: StartedConversation, wake: Wake): Promise<void> {
    const options = { ...this.optionsOf(conversation), signal: SIGNAL, signalArgs: [wake] as [Wake] };
    await this.bounded(() => this.client.workflow.signalWithStart(WORKFLOW, options));
  }

  /** A Temporal that hangs must not hold the relay's rows for long. */
  private bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MS, call);
  }

  private optionsOf(conversation: StartedConversation) {
    const { id, client_id: clientId, provider, channel, direction } = conversation;
    const conversationId = publicId('conversation', id);
    const input: ConversationInput = { conversationId };
    return {
      workflowId: workflowIdOf(id),
      taskQueue: QUEUE.conversations,
      args: [input] as [ConversationInput],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_ATTRIBUTE.clientId, value: publicId('client', clientId) },
        { key: SEARCH_ATTRIBUTE.provider, value: provider },
        { key: SEARCH_ATTRIBUTE.channel, value: channel },
      ]),
      staticSummary: [provider, channel, direction].filter((word) => word !== null).join(' · '),
      staticDetails: `[Record](${this.options.publicUrl}/v1/conversations/${conversationId}) · [history](${this.options.publicUrl}/v1/conversations/${conversationId}/history)`,
    };
  }
}
