// The agents of the simulated workspace: invented businesses, in four languages, on all channels.

/** How a customer reaches an agent. */
export type Channel = 'twilio' | 'sip' | 'web' | 'chat' | 'sms' | 'whatsapp';

/** An agent. `weight` is its share of conversations, `handsTo` the agent that it may transfer to. */
export interface SimulatedAgent {
  agent_id: string;
  name: string;
  topic: string;
  language: string;
  voice_id: string;
  number: string;
  channels: readonly Channel[];
  environments: readonly string[];
  zeroRetention: boolean;
  tags: readonly string[];
  weight: number;
  handsTo?: string;
}

const agent = (
  id: string,
  name: string,
  topic: string,
  rest: Partial<SimulatedAgent> & { language: string; number: string; weight: number },
): SimulatedAgent => ({
  agent_id: `agent_${id}`,
  name,
  topic,
  voice_id: `voice${id.slice(4, 18)}`,
  channels: ['twilio', 'web'],
  environments: ['production'],
  zeroRetention: false,
  tags: [],
  ...rest,
});

/** The specialist that the concierge transfers to. */
export const BOOKINGS_ID = 'agent_7401k9xbookingsdesk0a1b2c3d4';

/** The concierge: the default agent. */
export const FIRST_AGENT: SimulatedAgent = agent(
  '4101k9wconciergeblueheron0a1b2',
  'Blue Heron concierge',
  'travel_change',
  {
    language: 'en-US',
    number: '+12025550110',
    weight: 26,
    environments: ['production', 'production', 'production', 'staging'],
    tags: ['travel'],
    handsTo: BOOKINGS_ID,
  },
);

/** All agents. Blue Heron and Kestrel, Quillon, and each smaller business can be mapped to clients of their own. */
export const AGENTS: readonly SimulatedAgent[] = [
  FIRST_AGENT,
  {
    ...agent('', 'Blue Heron bookings', 'travel_change', { language: 'en-US', number: '+12025550111', weight: 4 }),
    agent_id: BOOKINGS_ID,
    voice_id: 'voicebookingsdesk',
    tags: ['travel'],
  },
  agent('5501k9y2kestrelcouriers0c4d5e6', 'Kestrel delivery desk', 'delivery_slot', {
    language: 'en-GB',
    number: '+12065550112',
    weight: 20,
    channels: ['twilio'],
  }),
  agent('6201k9z3quillonbankcards0e7f8a9', 'Quillon card care', 'card_blocked', {
    language: 'en-US',
    number: '+13125550113',
    weight: 8,
    channels: ['sip'],
    zeroRetention: true,
    tags: ['bank'],
  }),
  agent('7301ka04clinicasierraclara0b1c2', 'Clínica Sierra Clara citas', 'clinic_appointment', {
    language: 'es-ES',
    number: '+13055550114',
    weight: 10,
    channels: ['twilio', 'sip'],
  }),
  agent('8401ka15lindenblattoptik0d3e4f5', 'Lindenblatt Optik Telefon', 'glasses_ready', {
    language: 'de-DE',
    number: '+16465550115',
    weight: 10,
    channels: ['twilio', 'web'],
  }),
  agent('9501ka26ateliermarceau0a6b7c8d9', 'Atelier Marceau accueil', 'alteration', {
    language: 'fr-FR',
    number: '+15045550116',
    weight: 7,
    channels: ['chat', 'whatsapp'],
  }),
  agent('0601ka37pebbleshopassistant0e1f2', 'Pebble shop assistant', 'size_advice', {
    language: 'en-US',
    number: '+14155550117',
    weight: 15,
    channels: ['chat', 'chat', 'sms', 'whatsapp'],
    environments: ['production', 'staging'],
  }),
];

const CREATED_SECS = 1_780_000_000;
const access = {
  is_creator: true,
  creator_name: 'Simulated Creator',
  creator_email: 'creator@example.invalid',
  role: 'admin',
};

/** The agent as an item of `GET /v1/convai/agents`. */
export function agentListItem(agent: SimulatedAgent, index: number): Record<string, unknown> {
  return {
    agent_id: agent.agent_id,
    name: agent.name,
    voice_id: agent.voice_id,
    tags: agent.tags,
    created_at_unix_secs: CREATED_SECS + index * 3600,
    access_info: access,
    last_call_time_unix_secs: null,
    archived: false,
  };
}

/** The agent of `GET /v1/convai/agents/{id}`, with all fields that the official client requires. */
export function agentDocument(agent: SimulatedAgent, index: number): Record<string, unknown> {
  const retention = {
    retention_days: agent.zeroRetention ? 0 : 730,
    delete_transcript_and_pii: true,
    delete_audio: true,
  };
  return {
    agent_id: agent.agent_id,
    name: agent.name,
    conversation_config: { agent: { language: agent.language.slice(0, 2), first_message: '' } },
    metadata: { created_at_unix_secs: CREATED_SECS + index * 3600, updated_at_unix_secs: CREATED_SECS + index * 7200 },
    platform_settings: { privacy: { ...retention, zero_retention_mode: agent.zeroRetention, record_voice: true } },
    phone_numbers: [],
    access_info: access,
    tags: agent.tags,
    version_id: null,
    branch_id: null,
    main_branch_id: null,
  };
}
