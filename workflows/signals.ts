// Signals: enumerations only. Words never travel through Temporal.
import { defineSignal } from '@temporalio/workflow';
import { SIGNAL, type ConversationNews } from './names.js';

export const askedSignal = defineSignal(SIGNAL.asked);

export const wakeSignal = defineSignal<[ConversationNews]>(SIGNAL.wake, {});
