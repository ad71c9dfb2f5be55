// The agents of the simulated workspace: invented businesses in four languages.

/** An agent, with its phone number and the price of its voice and model (US cents per second). */
export interface SimulatedAgent {
  agent_id: string;
  /** Key of the topic of its calls. */
  topic: string;
  channel: 'voice' | 'chat';
  agent_name: string;
  version: number;
  language: string;
  voice_id: string;
  number: string;
  weight: number;
}

/** The voice agents; `weight` is the share of calls. */
export const AGENTS: readonly SimulatedAgent[] = [
  {
    agent_id: 'agent_7c1d0e5b2f9a4438a6d1',
    topic: 'double_charge',
    channel: 'voice',
    agent_name: 'Northwind Energy support',
    version: 12,
    language: 'en-US',
    voice_id: '11labs-Adrian',
    number: '+12025550100',
    weight: 30,
  },
  {
    agent_id: 'agent_b35e91c07d2f46aa8c10',
    topic: 'appointment',
    channel: 'voice',
    agent_name: 'Maple Street Dental reception',
    version: 4,
    language: 'en-US',
    voice_id: '11labs-Lily',
    number: '+14155550101',
    weight: 20,
  },
  {
    agent_id: 'agent_e04f6a1392bd4c57b7fe',
    topic: 'order_status',
    channel: 'voice',
    agent_name: 'Fern & Field orders',
    version: 7,
    language: 'en-GB',
    voice_id: 'openai-Alloy',
    number: '+12065550102',
    weight: 20,
  },
  {
    agent_id: 'agent_19d8c2fe60b74b0d93a5',
    topic: 'renewal',
    channel: 'voice',
    agent_name: 'Harbor Mutual renewals',
    version: 2,
    language: 'en-US',
    voice_id: '11labs-Myra',
    number: '+13125550103',
    weight: 12,
  },
  {
    agent_id: 'agent_5a72be84c1304f6d9e2b',
    topic: 'reservation',
    channel: 'voice',
    agent_name: 'La Higuera reservas',
    version: 1,
    language: 'es-ES',
    voice_id: '11labs-Santiago',
    number: '+13055550104',
    weight: 8,
  },
  {
    agent_id: 'agent_d2460fb95e8a4e9b8731',
    topic: 'water_damage',
    channel: 'voice',
    agent_name: 'Elbtal Schadenaufnahme',
    version: 9,
    language: 'de-DE',
    voice_id: 'openai-Echo',
    number: '+16465550105',
    weight: 6,
  },
  {
    agent_id: 'agent_83f1a97c4d0b4be2a15c',
    topic: 'hotel_booking',
    channel: 'voice',
    agent_name: 'Hôtel des Tilleuls accueil',
    version: 3,
    language: 'fr-FR',
    voice_id: '11labs-Marissa',
    number: '+15045550106',
    weight: 4,
  },
];

/** The chat agents; they have no phone number. */
export const CHAT_AGENTS: readonly SimulatedAgent[] = [
  {
    agent_id: 'agent_2f6be0d9417c4c3fa0e8',
    topic: 'size_advice',
    channel: 'chat',
    agent_name: 'Pebble shop chat',
    version: 5,
    language: 'en-US',
    voice_id: '',
    number: '',
    weight: 70,
  },
  {
    agent_id: 'agent_90ce7d15b8a24f1e8d63',
    topic: 'alteration',
    channel: 'chat',
    agent_name: 'Atelier Marceau chat',
    version: 2,
    language: 'fr-FR',
    voice_id: '',
    number: '',
    weight: 30,
  },
];

/** Retell's chat agent object for `GET /get-chat-agent/{id}`. */
export function chatAgentDocument(agent: SimulatedAgent): Record<string, unknown> {
  const { voice_id: _, max_call_duration_ms: __, ...rest } = agentDocument(agent);
  return rest;
}

/** Retell's agent object for `GET /get-agent/{id}`, with all fields that retell-sdk requires. */
export function agentDocument(agent: SimulatedAgent): Record<string, unknown> {
  return {
    agent_id: agent.agent_id,
    agent_name: agent.agent_name,
    version: agent.version,
    is_published: true,
    language: agent.language,
    voice_id: agent.voice_id,
    response_engine: { type: 'retell-llm', llm_id: `llm_${agent.agent_id.slice(6)}`, version: agent.version },
    last_modification_timestamp: 1_793_520_000_000 + agent.version,
    data_storage_setting: 'everything',
    opt_in_signed_url: false,
    max_call_duration_ms: 3_600_000,
    webhook_events: null,
    webhook_timeout_ms: 10_000,
  };
}

/** The same agent as an item of `POST /v2/list-agents`. */
export function agentListItem(agent: SimulatedAgent): Record<string, unknown> {
  return {
    agent_id: agent.agent_id,
    agent_name: agent.agent_name,
    channel: agent.channel,
    tags: { prod: { version: agent.version } },
    user_modified_timestamp: 1_793_520_000_000 + agent.version,
  };
}
