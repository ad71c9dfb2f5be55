// Generates chats in a simulated Retell workspace.
import type { Outbox, Pace } from '../pace.js';
import { Random } from '../random.js';
import type { RetellChat } from './chat.js';
import type { ChatNotes } from './chat-notes.js';
import { completeChat } from './complete-chat.js';
import type { RetellSimulator } from './server.js';

/** The chats of traffic. */
export class ChatTraffic {
  constructor(
    private readonly simulator: RetellSimulator,
    private readonly pace: Pace,
    private readonly outbox: Outbox,
    private readonly speed: number,
    private readonly stopped: Map<string, () => void>,
  ) {}

  /** One chat from its first message to its analysis. */
  async live(seed: string, isDoubled: boolean): Promise<void> {
    const { simulator, speed } = this;
    const whole = completeChat(seed);
    const lengthMs = (whole.end_timestamp ?? 0) - (whole.start_timestamp ?? 0);
    const start = Math.floor(simulator.clock() + lengthMs / speed - lengthMs);
    const type = new Random(`${seed} chat type`).chance(0.3) ? 'sms_chat' : 'api_chat';
    const { chat_id: id } = simulator.chats.add({ start_timestamp: start, chat_type: type }, seed);
    this.post('chat_started', id);
    const isOver = new Promise<void>((resolve) => this.stopped.set(id, resolve));
    await Promise.race([this.pace.pause(lengthMs / speed), isOver]);
    this.stopped.delete(id);
    await this.finish(id, isDoubled);
  }

  /** Finishes the chats that an earlier run left open. */
  resume(): void {
    for (const { head, notes } of this.simulator.chats.records.heads()) {
      if (isUnfinished(head, notes)) this.pace.run(() => this.finish(head.chat_id, false));
    }
  }

  private async finish(id: string, isDoubled: boolean): Promise<void> {
    const { chats, faults } = this.simulator;
    const status = chats.records.get(id)?.chat_status;
    if (status === undefined) return;
    if (status === 'ongoing') chats.end(id, new Random(`${id} error`).chance(0.03) ? { chat_status: 'error' } : {});
    this.post('chat_ended', id);
    if (isDoubled) this.post('chat_ended', id);
    const drawnMs = new Random(`${id} analysis time`).between(10_000, 60_000) / this.speed;
    await this.pace.pause(faults.lateAnalysisMs ?? drawnMs);
    if (chats.records.get(id) === undefined) return;
    chats.records.note(id, { isUntold: true });
    chats.analyze(id);
    await this.outbox.send('chat_analyzed', id, this.simulator.webhookBody('chat_analyzed', id));
    chats.records.note(id, { isUntold: undefined });
    await this.rewrite(id);
  }

  private async rewrite(id: string): Promise<void> {
    const { chats, faults } = this.simulator;
    const { share, afterMs, webhook } = faults.rewrites;
    if (!new Random(`${id} rewrite`).chance(share)) return;
    await this.pace.pause(afterMs);
    if (chats.records.get(id) === undefined) return;
    chats.rewrite(id);
    if (webhook) await this.outbox.send('chat_analyzed', id, this.simulator.webhookBody('chat_analyzed', id));
  }

  private post(event: string, id: string): void {
    this.outbox.post(event, id, this.simulator.webhookBody(event, id));
  }
}

/** Whether a chat is still live, not analysed yet, or has a webhook to send. */
export function isUnfinished(chat: Readonly<RetellChat>, notes: Readonly<ChatNotes>): boolean {
  const isAnalysed = chat.chat_analysis !== undefined && notes.analysisFromMs === undefined;
  return chat.chat_status === 'ongoing' || !isAnalysed || notes.isUntold === true;
}
