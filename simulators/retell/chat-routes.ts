// Retell's endpoints over the simulated chats.
import { z } from 'zod';
import type { Faults } from '../faults.js';
import { ApiError, type ApiReply, type ApiRequest, type Operation } from '../http.js';
import type { Fields } from '../records.js';
import type { Endpoint } from '../simulated-api.js';
import { chatAgentDocument, type SimulatedAgent } from './agents.js';
import type { RetellCall } from './call.js';
import type { RetellChat } from './chat.js';
import { chatKnownAt, oddChat } from './chat-view.js';
import type { Chats } from './chats.js';
import { chatCriteria, pageRequest, type FilterCriteria } from './filters.js';
import { pageOrRefuse, type Listed } from './list.js';

/** What the endpoints work on. */
export interface ChatWorkspace {
  chats: Chats;
  agents: Map<string, SimulatedAgent>;
  faults: Faults;
  stop: (chatId: string) => void;
}

const listChatsBody = pageRequest.extend({ filter_criteria: chatCriteria.optional() });
const updateBody = z.strictObject({
  metadata: z.unknown().optional(),
  custom_attributes: z.record(z.string(), z.unknown()).optional(),
  data_storage_setting: z.enum(['everything', 'basic_attributes_only']).optional(),
  override_dynamic_variables: z.record(z.string(), z.string()).nullish(),
});

function find(workspace: ChatWorkspace, request: ApiRequest): RetellChat {
  const chatId = request.params['id'] ?? '';
  if (workspace.faults.missing.has(chatId) || !workspace.chats.records.notes(chatId))
    throw new ApiError(404, 'chat not found');
  return workspace.chats.seen(chatId);
}

/** A chat with the field names that the call filters use. */
function filterable(chat: RetellChat): RetellCall {
  const { chat_successful: successful, ...analysis } = chat.chat_analysis ?? {};
  return {
    ...chat,
    call_id: chat.chat_id,
    call_type: chat.chat_type,
    call_status: chat.chat_status,
    agent_version: chat.version,
    call_analysis: { ...analysis, call_successful: successful === true },
    call_cost: {
      total_duration_seconds: 0,
      total_duration_unit_price: 0,
      combined_cost: 0,
      product_costs: [],
      ...chat.chat_cost,
    },
    duration_ms: (chat.end_timestamp ?? 0) - (chat.start_timestamp ?? 0),
  };
}

/** Chat criteria with the field names of calls. */
function asCallCriteria(wanted: z.infer<typeof chatCriteria>): FilterCriteria {
  const { chat_id, chat_status, chat_successful, ...rest } = wanted;
  return { ...rest, call_id: chat_id, call_status: chat_status, call_successful: chat_successful };
}

function listChats(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  const parsed = listChatsBody.safeParse(request.json() ?? {});
  if (!parsed.success) throw new ApiError(400, `${parsed.error.issues[0]?.path.join('.') ?? 'body'} is invalid`);
  const { faults, chats } = workspace;
  const { heads, atMs } = chats.records.listed();
  const byId = new Map<string, RetellChat>();
  const listed = heads.flatMap<Listed>(({ head, notes }) => {
    if (faults.missing.has(head.chat_id)) return [];
    const seen = chatKnownAt(head, notes, atMs);
    byId.set(head.chat_id, oddChat(seen, faults.oddities));
    const attributes = head.custom_attributes ?? {};
    return [{ call: filterable(seen), attributes, sortMs: head.start_timestamp ?? notes.createdMs }];
  });
  const wanted = { ...parsed.data, filter_criteria: asCallCriteria(parsed.data.filter_criteria ?? {}) };
  const page = pageOrRefuse(listed, wanted);
  const items = page.items.map((item) => byId.get(item.call_id));
  const doomed = page.items.slice(0, faults.deleteAfterList);
  faults.deleteAfterList -= doomed.length;
  for (const { call_id: chatId } of doomed) chats.records.remove(chatId);
  return { status: 200, body: { ...page, items } };
}

function updateChat(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  const { chat_id: chatId } = find(workspace, request);
  const parsed = updateBody.safeParse(request.json() ?? {});
  if (!parsed.success) throw new ApiError(400, 'body is invalid');
  const { override_dynamic_variables: _, ...fields } = parsed.data;
  workspace.chats.records.update(chatId, fields as Fields);
  return { status: 200, body: workspace.chats.seen(chatId) };
}

function endChat(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  const chat = find(workspace, request);
  if (chat.chat_status !== 'ongoing') throw new ApiError(400, 'chat is not ongoing');
  workspace.stop(chat.chat_id);
  return { status: 204 };
}

function deleteChat(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  workspace.chats.records.remove(find(workspace, request).chat_id);
  return { status: 204 };
}

function rerunAnalysis(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  const { chat_id: chatId } = find(workspace, request);
  workspace.chats.analyze(chatId);
  return { status: 201, body: workspace.chats.seen(chatId) };
}

function getAgent(workspace: ChatWorkspace, request: ApiRequest): ApiReply {
  const agent = workspace.agents.get(request.params['id'] ?? '');
  if (agent?.channel !== 'chat') throw new ApiError(404, 'agent not found');
  return { status: 200, body: chatAgentDocument(agent) };
}

/** The endpoints of chats. */
export function chatEndpoints(workspace: ChatWorkspace): Endpoint[] {
  type Handler = (workspace: ChatWorkspace, request: ApiRequest) => ApiReply;
  const endpoint = (operation: Operation, method: string, pattern: RegExp, handler: Handler): Endpoint => ({
    operation,
    method,
    pattern,
    handle: (request) => handler(workspace, request),
  });
  return [
    endpoint('get', 'GET', /^\/get-chat\/(?<id>[^/]+)$/, (_, request) => ({
      status: 200,
      body: find(workspace, request),
    })),
    endpoint('list', 'POST', /^\/v3\/list-chats$/, listChats),
    endpoint('delete', 'DELETE', /^\/delete-chat\/(?<id>[^/]+)$/, deleteChat),
    endpoint('other', 'PATCH', /^\/update-chat\/(?<id>[^/]+)$/, updateChat),
    endpoint('other', 'PATCH', /^\/end-chat\/(?<id>[^/]+)$/, endChat),
    endpoint('other', 'PUT', /^\/rerun-chat-analysis\/(?<id>[^/]+)$/, rerunAnalysis),
    endpoint('other', 'GET', /^\/get-chat-agent\/(?<id>[^/]+)$/, getAgent),
  ];
}
