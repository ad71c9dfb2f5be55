// Retell's endpoints over the simulated calls and agents.
import { z } from 'zod';
import { agentDocument, agentListItem, type SimulatedAgent } from './agents.js';
import type { RetellCall } from './call.js';
import type { Calls } from './calls.js';
import type { Faults } from '../faults.js';
import { listCallsBody } from './filters.js';
import { ApiError, type ApiReply, type ApiRequest, type Operation } from '../http.js';
import type { Endpoint } from '../simulated-api.js';
import { pageOrRefuse, type Listed } from './list.js';
import { isSignedLinkGood, parseRecordingFile, recordingOf } from './recordings.js';
import { asStored, knownAt, oddCall, withSignedLinks } from './view.js';

const OPT_OUT_LINK_MS = 600_000;
const STORAGE = ['everything', 'everything_except_pii', 'basic_attributes_only'] as const;

/** What the endpoints work on. */
export interface Workspace {
  apiKey: string;
  clock: () => number;
  calls: Calls;
  agents: Map<string, SimulatedAgent>;
  faults: Faults;
  stop: (callId: string) => void;
  rerun: (callId: string) => void;
}

const updateBody = z.strictObject({
  metadata: z.unknown().optional(),
  custom_attributes: z.record(z.string(), z.unknown()).optional(),
  data_storage_setting: z.enum(STORAGE).optional(),
});

const listAgentsBody = z.looseObject({}).optional();
const pageSize = z.coerce.number().int().min(1).max(1000).default(1000);

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, `${parsed.error.issues[0]?.path.join('.') ?? 'body'} is invalid`);
}

function find(workspace: Workspace, request: ApiRequest): RetellCall {
  const callId = request.params['id'] ?? '';
  const call = workspace.faults.missing.has(callId) ? undefined : workspace.calls.get(callId);
  if (!call) throw new ApiError(404, 'call not found');
  return call;
}

function read(workspace: Workspace, call: RetellCall): RetellCall {
  const now = workspace.clock();
  const known = knownAt(call, workspace.calls.notes(call.call_id) ?? {}, now);
  return oddCall(asStored(withSignedLinks(known, now, workspace.apiKey)), workspace.faults.oddities);
}

function getCall(workspace: Workspace, request: ApiRequest): ApiReply {
  return { status: 200, body: read(workspace, find(workspace, request)) };
}

function listCalls(workspace: Workspace, request: ApiRequest): ApiReply {
  const now = workspace.clock();
  const wanted = parse(listCallsBody, request.json() ?? {});
  const { heads, atMs } = workspace.calls.listed();
  const listed = heads.flatMap<Listed>(({ head: call, notes }) => {
    if (workspace.faults.missing.has(call.call_id)) return [];
    const seen = asStored(withSignedLinks(knownAt(call, notes, atMs), now, workspace.apiKey));
    return [
      {
        call: oddCall(seen, workspace.faults.oddities),
        attributes: notes.customAttributes ?? {},
        sortMs: call.start_timestamp ?? notes.createdMs,
      },
    ];
  });
  const page = pageOrRefuse(listed, wanted);
  const doomed = page.items.slice(0, workspace.faults.deleteAfterList);
  workspace.faults.deleteAfterList -= doomed.length;
  for (const { call_id: callId } of doomed) workspace.calls.remove(callId);
  return { status: 200, body: page };
}

function deleteCall(workspace: Workspace, request: ApiRequest): ApiReply {
  workspace.calls.remove(find(workspace, request).call_id);
  return { status: 204 };
}

/** `data_storage_setting` can only be made stricter. */
function updateCall(workspace: Workspace, request: ApiRequest): ApiReply {
  const call = find(workspace, request);
  const { custom_attributes: customAttributes, ...fields } = parse(updateBody, request.json() ?? {});
  const rank = (setting: unknown) => STORAGE.findIndex((known) => known === setting);
  if (
    fields.data_storage_setting !== undefined &&
    rank(fields.data_storage_setting) < rank(call.data_storage_setting)
  ) {
    throw new ApiError(400, 'data_storage_setting can only be made stricter');
  }
  const notes = customAttributes === undefined ? {} : { customAttributes };
  return { status: 200, body: read(workspace, workspace.calls.update(call.call_id, fields, notes)) };
}

function stopCall(workspace: Workspace, request: ApiRequest): ApiReply {
  const call = find(workspace, request);
  if (call.call_status !== 'ongoing') throw new ApiError(400, 'call is not ongoing');
  workspace.stop(call.call_id);
  return { status: 204 };
}

function rerunAnalysis(workspace: Workspace, request: ApiRequest): ApiReply {
  const { call_id: callId } = find(workspace, request);
  workspace.rerun(callId);
  return { status: 201, body: read(workspace, find(workspace, request)) };
}

function getAgent(workspace: Workspace, request: ApiRequest): ApiReply {
  const agent = workspace.agents.get(request.params['id'] ?? '');
  if (agent?.channel !== 'voice') throw new ApiError(404, 'agent not found');
  return { status: 200, body: agentDocument(agent) };
}

function listAgents(workspace: Workspace, request: ApiRequest): ApiReply {
  parse(listAgentsBody, request.json());
  const limit = parse(pageSize, request.url.searchParams.get('limit') ?? undefined);
  const from = Number(request.url.searchParams.get('pagination_key') ?? 0);
  const all = [...workspace.agents.values()];
  const hasMore = all.length > from + limit;
  const key = hasMore ? { pagination_key: String(from + limit) } : {};
  return { status: 200, body: { items: all.slice(from, from + limit).map(agentListItem), has_more: hasMore, ...key } };
}

/** Throws 404 while there is no recording, 403 when the link has expired. */
function checkRecording(workspace: Workspace, call: RetellCall | undefined, url: URL): RetellCall {
  const now = workspace.clock();
  if (!call || call.call_status === 'ongoing' || call.start_timestamp === undefined)
    throw new ApiError(404, 'recording not found');
  const audioFromMs = workspace.calls.notes(call.call_id)?.audioFromMs ?? 0;
  if (now < Math.max(audioFromMs, workspace.faults.audio404Until.get(call.call_id) ?? 0))
    throw new ApiError(404, 'recording not found');
  const isOptedOut = call.data_storage_setting === 'basic_attributes_only';
  const lifetimeMs = workspace.faults.linkLifetimeMs ?? (isOptedOut ? OPT_OUT_LINK_MS : Infinity);
  const expiry = (call.end_timestamp ?? 0) + lifetimeMs;
  const isExpired = now >= (workspace.faults.recordingExpiresAt.get(call.call_id) ?? expiry);
  if (isExpired || (call.opt_in_signed_url === true && !isSignedLinkGood(url, now, workspace.apiKey))) {
    throw new ApiError(403, 'link has expired');
  }
  return call;
}

function getRecording(workspace: Workspace, request: ApiRequest): ApiReply {
  const file = parseRecordingFile(request.params['file'] ?? '');
  const call = checkRecording(workspace, file && workspace.calls.get(file.callId), request.url);
  const raw = recordingOf(call, file?.isMultiChannel ?? false);
  return {
    status: 200,
    raw,
    headers: { 'content-type': 'audio/wav' },
    cutAfterBytes: workspace.faults.audioCutAfterBytes.shift(),
  };
}

/** The endpoints of calls and agents; all except the recordings require the API key. */
export function callEndpoints(workspace: Workspace): Endpoint[] {
  type Handler = (workspace: Workspace, request: ApiRequest) => ApiReply;
  const endpoint = (operation: Operation, method: string, pattern: RegExp, handler: Handler): Endpoint => ({
    operation,
    method,
    pattern,
    handle: (request) => handler(workspace, request),
  });
  return [
    {
      ...endpoint('audio', 'GET', /^\/recordings\/(?<file>[^/]+)$/, getRecording),
      isOpen: true,
      recordOf: (request) => parseRecordingFile(request.params['file'] ?? '')?.callId,
    },
    endpoint('get', 'GET', /^\/v2\/get-call\/(?<id>[^/]+)$/, getCall),
    endpoint('list', 'POST', /^\/v3\/list-calls$/, listCalls),
    endpoint('delete', 'DELETE', /^\/v2\/delete-call\/(?<id>[^/]+)$/, deleteCall),
    endpoint('other', 'PATCH', /^\/v2\/update-call\/(?<id>[^/]+)$/, updateCall),
    endpoint('other', 'POST', /^\/v2\/stop-call\/(?<id>[^/]+)$/, stopCall),
    endpoint('other', 'PUT', /^\/rerun-call-analysis\/(?<id>[^/]+)$/, rerunAnalysis),
    endpoint('other', 'GET', /^\/get-agent\/(?<id>[^/]+)$/, getAgent),
    endpoint('other', 'POST', /^\/v2\/list-agents$/, listAgents),
  ];
}
