// Starts and wakes the workflow of a conversation. With the relay, the only user of the Temporal client.
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { publicId } from '../common/ids.js';
import type { ConversationInput, Wake } from '../../workflows/messages.js';
import type { SearchAttributes } from './search-attributes.js';
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
/** Tries of a workflow task; Temporal makes longer and longer pauses between them. */
const STUCK_ATTEMPTS = 3;

export const workflowIdOf = (conversationId: string): string =>
  `conversation/${publicId('conversation', conversationId)}`;

const attributesOf = ({ client_id: clientId, provider, channel }: StartedConversation) => [
  { key: SEARCH_ATTRIBUTE.clientId, value: publicId('client', clientId) },
  { key: SEARCH_ATTRIBUTE.provider, value: provider },
  { key: SEARCH_ATTRIBUTE.channel, value: channel },
];

export class ConversationStarter {
  constructor(
    private readonly client: Client,
    /** Eager: the first task goes straight to a worker on the same connection, without a round through matching. */
    private readonly options: { eager: boolean; publicUrl: string; attributes: SearchAttributes },
  ) {}

  /** Starts the workflow unless it runs; false when it did. A closed run is no hindrance. */
  async start(conversation: StartedConversation): Promise<boolean> {
    const options = { ...this.optionsOf(conversation), requestEagerStart: this.options.eager };
    try {
      await this.options.attributes.starting(attributesOf(conversation), (attributes) =>
        this.bounded(() => this.client.workflow.start(WORKFLOW, { ...options, ...attributes })),
      );
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  /**
   * Replaces a run that cannot get on: its workflow task fails again and again. False when there is
   * no such run. A new one reads Postgres and goes on from there.
   */
  async replaceStuck(conversation: StartedConversation): Promise<boolean> {
    const handle = this.client.workflow.getHandle(workflowIdOf(conversation.id));
    const described = await this.bounded(() => handle.describe()).catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
    if ((described?.raw.pendingWorkflowTask?.attempt ?? 0) < STUCK_ATTEMPTS) return false;
    const options = {
      ...this.optionsOf(conversation),
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING,
    };
    await this.options.attributes.starting(attributesOf(conversation), (attributes) =>
      this.bounded(() => this.client.workflow.start(WORKFLOW, { ...options, ...attributes })),
    );
    return true;
  }

  /** Tells the workflow, and starts one if none runs. */
  async wake(conversation: StartedConversation, wake: Wake): Promise<void> {
    const options = { ...this.optionsOf(conversation), signal: SIGNAL, signalArgs: [wake] as [Wake] };
    await this.options.attributes.starting(attributesOf(conversation), (attributes) =>
      this.bounded(() => this.client.workflow.signalWithStart(WORKFLOW, { ...options, ...attributes })),
    );
  }

  /** A Temporal that hangs must not hold the relay's rows for long. */
  private bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MS, call);
  }

  private optionsOf(conversation: StartedConversation) {
    const { id, provider, channel, direction } = conversation;
    const conversationId = publicId('conversation', id);
    const input: ConversationInput = { conversationId };
    return {
      workflowId: workflowIdOf(id),
      taskQueue: QUEUE.conversations,
      args: [input] as [ConversationInput],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: [provider, channel, direction].filter((word) => word !== null).join(' · '),
      staticDetails: `[Record](${this.options.publicUrl}/v1/conversations/${conversationId}) · [history](${this.options.publicUrl}/v1/conversations/${conversationId}/history)`,
    };
  }
}
