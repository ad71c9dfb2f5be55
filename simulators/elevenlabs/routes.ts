// ElevenLabs' endpoints over the simulated conversations and agents.
import { z } from 'zod';
import type { Faults } from '../faults.js';
import { ApiError, type ApiReply, type ApiRequest, type Operation } from '../http.js';
import type { Endpoint } from '../simulated-api.js';
import { agentDocument, agentListItem, type SimulatedAgent } from './agents.js';
import type { Conversation } from './conversation.js';
import type { Conversations } from './conversations.js';
import { BadCursor, listQuery, pageOf, queryOf, type Listed } from './list.js';
import { recordingOf } from './recording.js';
import { asStored, knownAt, oddConversation } from './view.js';

/** What the endpoints work on. */
export interface Workspace {
  clock: () => number;
  conversations: Conversations;
  agents: Map<string, SimulatedAgent>;
  faults: Faults;
  analyze: (conversationId: string) => void;
}

const agentsQuery = z.object({
  page_size: z.coerce.number().int().min(1).max(100).default(30),
  cursor: z.coerce.number().int().min(0).default(0),
  search: z.string().default(''),
});
const summaryQuery = z.object({ max_messages: z.coerce.number().int().min(0).default(0) });

/** 422 as ElevenLabs writes it. */
function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    loc: ['query', ...issue.path],
    msg: issue.message,
    type: 'value_error',
  }));
  throw new ApiError(422, 'invalid parameters', {}, issues);
}

function find(workspace: Workspace, request: ApiRequest): Conversation {
  const id = request.params['id'] ?? '';
  const found = workspace.faults.missing.has(id) ? undefined : workspace.conversations.get(id);
  if (!found) throw new ApiError(404, 'Conversation not found.');
  return found;
}

function known(workspace: Workspace, conversation: Conversation): Conversation {
  const notes = workspace.conversations.notes(conversation.conversation_id) ?? {};
  return asStored(knownAt(conversation, notes, workspace.clock()));
}

function getConversation(workspace: Workspace, request: ApiRequest): ApiReply {
  const body = oddConversation(known(workspace, find(workspace, request)), workspace.faults.oddities);
  return { status: 200, body };
}

function listConversations(workspace: Workspace, request: ApiRequest): ApiReply {
  const { faults, conversations } = workspace;
  const query = parse(listQuery, queryOf(request.url.searchParams));
  const { heads, atMs } = conversations.listed();
  const listed = heads
    .filter(({ head }) => !faults.missing.has(head.conversation_id))
    .map(({ head, notes }): Listed => ({ seen: asStored(knownAt(head, notes, atMs)), notes }));
  try {
    const { body, ids } = pageOf(listed, query);
    const doomed = ids.slice(0, faults.deleteAfterList);
    faults.deleteAfterList -= doomed.length;
    for (const id of doomed) conversations.remove(id);
    return { status: 200, body: faults.oddities.includes('unknown_field') ? { ...body, x_new_field: {} } : body };
  } catch (error) {
    if (error instanceof BadCursor) throw new ApiError(400, error.message);
    throw error;
  }
}

function getAudio(workspace: Workspace, request: ApiRequest): ApiReply {
  const seen = known(workspace, find(workspace, request));
  const isLate = workspace.clock() < (workspace.faults.audio404Until.get(seen.conversation_id) ?? 0);
  if (!seen.has_audio || isLate) throw new ApiError(404, 'Audio not found for this conversation.');
  return {
    status: 200,
    raw: recordingOf(seen),
    headers: { 'content-type': 'audio/mpeg' },
    cutAfterBytes: workspace.faults.audioCutAfterBytes.shift(),
  };
}

function getSummary(workspace: Workspace, request: ApiRequest): ApiReply {
  const seen = known(workspace, find(workspace, request));
  const { max_messages: limit } = parse(summaryQuery, Object.fromEntries(request.url.searchParams));
  const said = seen.transcript.filter((item) => item.message !== null);
  const messages = said.slice(0, limit).map(({ role, message }) => ({ role, message }));
  const { conversation_id, agent_id, status } = seen;
  const body = {
    conversation_id,
    agent_id,
    status,
    call_summary_title: seen.analysis?.['call_summary_title'] ?? null,
    transcript_summary: seen.analysis?.['transcript_summary'] ?? null,
    call_successful: seen.analysis?.['call_successful'] ?? null,
    message_count: seen.transcript.length,
    messages,
    messages_omitted: messages.length < said.length,
    note: 'Summaries may be incomplete.',
  };
  return { status: 200, body };
}

function deleteConversation(workspace: Workspace, request: ApiRequest): ApiReply {
  workspace.conversations.remove(find(workspace, request).conversation_id);
  return { status: 200, body: {} };
}

function runAnalysis(workspace: Workspace, request: ApiRequest): ApiReply {
  const { conversation_id: id } = find(workspace, request);
  workspace.analyze(id);
  return { status: 200, body: known(workspace, find(workspace, request)) };
}

function getAgent(workspace: Workspace, request: ApiRequest): ApiReply {
  const agents = [...workspace.agents.values()];
  const index = agents.findIndex((agent) => agent.agent_id === request.params['id']);
  const agent = agents[index];
  if (!agent) throw new ApiError(404, 'Agent not found.');
  return { status: 200, body: agentDocument(agent, index) };
}

function listAgents(workspace: Workspace, request: ApiRequest): ApiReply {
  const query = parse(agentsQuery, Object.fromEntries(request.url.searchParams));
  const all = [...workspace.agents.values()]
    .map(agentListItem)
    .filter((item) => String(item['name']).toLowerCase().includes(query.search.toLowerCase()));
  const end = query.cursor + query.page_size;
  const hasMore = all.length > end;
  const body = { agents: all.slice(query.cursor, end), has_more: hasMore, next_cursor: hasMore ? String(end) : null };
  return { status: 200, body };
}

function liveCount(workspace: Workspace): ApiReply {
  const running = workspace.conversations.heads().filter(({ head }) => head.status === 'in-progress');
  return { status: 200, body: { count: running.length } };
}

/** The endpoints; all of them require the API key. */
export function elevenLabsEndpoints(workspace: Workspace): Endpoint[] {
  type Handler = (workspace: Workspace, request: ApiRequest) => ApiReply;
  const endpoint = (operation: Operation, method: string, path: string, handler: Handler): Endpoint => ({
    operation,
    method,
    pattern: new RegExp(`^/v1/convai/${path.replace(':id', '(?<id>[^/]+)')}$`),
    handle: (request) => handler(workspace, request),
  });
  return [
    endpoint('list', 'GET', 'conversations', listConversations),
    endpoint('get', 'GET', 'conversations/:id', getConversation),
    endpoint('audio', 'GET', 'conversations/:id/audio', getAudio),
    endpoint('other', 'GET', 'conversations/:id/summary', getSummary),
    endpoint('delete', 'DELETE', 'conversations/:id', deleteConversation),
    endpoint('other', 'POST', 'conversations/:id/analysis/run', runAnalysis),
    endpoint('other', 'GET', 'agents', listAgents),
    endpoint('other', 'GET', 'agents/:id', getAgent),
    endpoint('other', 'GET', 'analytics/live-count', liveCount),
  ];
}
