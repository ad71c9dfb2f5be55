// The simulated workspace's chats, and the methods that tests and traffic use to change them.
import { Lag } from '../lag.js';
import { Records, omit, type Fields } from '../records.js';
import type { Faults } from '../faults.js';
import { CHAT_END_FIELDS, MESSAGE_FIELDS, type RetellChat } from './chat.js';
import type { ChatNotes } from './chat-notes.js';
import { chatKnownAt, oddChat } from './chat-view.js';
import { chatAnalysis, completeChat, correctedMessages, ongoingChat } from './complete-chat.js';

/** Chats by id. */
export class Chats {
  readonly records: Records<RetellChat, ChatNotes>;
  private added = 0;

  constructor(
    private readonly clock: () => number,
    private readonly faults: Faults,
  ) {
    const kind = { idOf: (chat: RetellChat) => chat.chat_id, bulky: MESSAGE_FIELDS };
    this.records = new Records(kind, new Lag(clock, () => faults.listLagMs));
  }

  /** Adds a live chat; the seed (default: its `chat_id`) generates the missing fields. */
  add(fields: Fields = {}, seed = this.seedFor(fields)): RetellChat {
    return this.keep(ongoingChat(seed, fields, { nowMs: this.clock() }), seed);
  }

  /** Adds a finished and analysed chat. */
  addComplete(fields: Fields = {}, seed = this.seedFor(fields)): RetellChat {
    return this.keep(completeChat(seed, fields, { nowMs: this.clock() }), seed);
  }

  /**
   * Ends a live chat; {@link analyze} or `faults.lateAnalysisMs` adds the analysis. Throws RangeError for an unknown
   * id.
   */
  end(chatId: string, fields: Fields = {}): RetellChat {
    const { chat, notes } = this.known(chatId);
    const begun = omit(chat, [...CHAT_END_FIELDS, 'chat_status']);
    const whole = completeChat(notes.seed, { ...begun, ...fields }, { nowMs: this.clock() });
    const late = this.faults.lateAnalysisMs;
    const hasAnalysis = late !== undefined || 'chat_analysis' in fields;
    const analysisFromMs = late === undefined ? undefined : this.clock() + late;
    this.records.put(hasAnalysis ? whole : omit(whole, ['chat_analysis']), { ...notes, analysisFromMs });
    return this.seen(chatId);
  }

  /** Adds or replaces the analysis; `fields` override what the seed generates. Throws RangeError for an unknown id. */
  analyze(chatId: string, fields: Fields = {}): RetellChat {
    const { chat, notes } = this.known(chatId);
    const analysis = { ...chatAnalysis(notes.seed, chat), ...fields };
    return this.records.update(chatId, { chat_analysis: analysis }, { analysisFromMs: undefined });
  }

  /** Rewrites a finished chat, by default with one corrected message. Throws RangeError for an unknown id. */
  rewrite(chatId: string, fields: Fields = {}): RetellChat {
    const { chat } = this.known(chatId);
    return this.records.update(chatId, { ...correctedMessages(chat), ...fields });
  }

  /** The chat as the API returns it now. Throws RangeError for an unknown id. */
  seen(chatId: string): RetellChat {
    const { chat, notes } = this.known(chatId);
    return oddChat(chatKnownAt(chat, notes, this.clock()), this.faults.oddities);
  }

  /**
   * The body of a webhook: `chat_started` without the end, `chat_ended` without the analysis, others with everything.
   */
  webhookBody(event: string, chatId: string): string {
    const chat = this.seen(chatId);
    if (event === 'chat_started') {
      return JSON.stringify({ event, chat: { ...omit(chat, CHAT_END_FIELDS), chat_status: 'ongoing' } });
    }
    return JSON.stringify({ event, chat: event === 'chat_ended' ? omit(chat, ['chat_analysis']) : chat });
  }

  private keep(chat: RetellChat, seed: string): RetellChat {
    this.records.put(chat, { createdMs: this.clock(), seed });
    return chat;
  }

  private seedFor(fields: Fields): string {
    this.added += 1;
    return typeof fields['chat_id'] === 'string' ? fields['chat_id'] : `added chat ${this.added}`;
  }

  private known(chatId: string): { chat: RetellChat; notes: ChatNotes } {
    const chat = this.records.get(chatId);
    const notes = this.records.notes(chatId);
    if (!chat || !notes) throw new RangeError('no such chat');
    return { chat, notes };
  }
}
