// The origin of a conversation in its metadata: telephone, browser, message, and how it was authorised.
import { seededHex } from '../random.js';
import type { Fields } from '../records.js';
import { isPhone, type Plan } from './plan.js';

const SOURCES = {
  twilio: ['twilio', 'public'],
  sip: ['sip_trunk', 'public'],
  web: ['react_sdk', 'signed_url'],
  chat: ['widget', 'public'],
  sms: ['twilio_sms', 'sms'],
  whatsapp: ['whatsapp', 'whatsapp'],
} as const;

function phoneCall(plan: Plan): Fields | null {
  if (!isPhone(plan.channel)) return null;
  const common = {
    direction: plan.direction,
    phone_number_id: `phnum_${seededHex(plan.agent.agent_id, 20)}`,
    agent_number: plan.agent.number,
    external_number: plan.customerNumber,
    call_result: null,
  };
  if (plan.channel === 'sip') {
    const callId = `${seededHex(`${plan.seed} sip`, 24)}@sip.example.invalid`;
    const headers = { 'sip_x-ticket': plan.slots['reference'] };
    return {
      type: 'sip_trunking',
      ...common,
      call_id: callId,
      call_sid: callSidOf(plan),
      sip_header_dynamic_variables: headers,
    };
  }
  return {
    type: 'twilio',
    ...common,
    stream_sid: `MZ${seededHex(`${plan.seed} stream`, 32)}`,
    call_sid: callSidOf(plan),
  };
}

/** The carrier's id of the call leg. */
export function callSidOf(plan: Plan): string {
  return plan.channel === 'sip' ? `SCL_${seededHex(`${plan.seed} sid`, 12)}` : `CA${seededHex(`${plan.seed} sid`, 32)}`;
}

/** The part of the metadata that describes the channel. */
export function channelMetadata(plan: Plan): Fields {
  const [source, authorization] = SOURCES[plan.channel];
  const sms = {
    direction: plan.direction,
    phone_number_id: null,
    sms_user_phone_number: plan.customerNumber,
    agent_phone_number: plan.agent.number,
  };
  const whatsapp = {
    direction: plan.direction,
    whatsapp_phone_number_id: `wa_${seededHex(plan.agent.agent_id, 12)}`,
    whatsapp_user_id: plan.customerNumber.slice(1),
  };
  return {
    phone_call: phoneCall(plan),
    sms: plan.channel === 'sms' ? sms : null,
    whatsapp: plan.channel === 'whatsapp' ? whatsapp : null,
    conversation_initiation_source: source,
    conversation_initiation_source_version: null,
    authorization_method: authorization,
  };
}

/** The client data of a conversation: custom and system variables. */
export function clientData(plan: Plan, conversationId: string): Fields {
  const call = isPhone(plan.channel)
    ? {
        system__caller_id: plan.direction === 'inbound' ? plan.customerNumber : plan.agent.number,
        system__called_number: plan.direction === 'inbound' ? plan.agent.number : plan.customerNumber,
        system__call_sid: callSidOf(plan),
      }
    : {};
  return {
    conversation_config_override: {},
    custom_llm_extra_body: {},
    user_id: null,
    source_info: { source: SOURCES[plan.channel][0], version: null },
    environment: plan.environment,
    dynamic_variables: {
      system__agent_id: plan.agent.agent_id,
      system__conversation_id: conversationId,
      ...call,
      customer_name: plan.slots['name'],
      plan: plan.slots['plan'],
      reference: plan.slots['reference'],
    },
  };
}

/** Which features were enabled and which were used. */
export function usageOf(plan: Plan): Fields {
  const feature = (enabled: boolean, used: boolean) => ({ enabled, used });
  const { outcome } = plan.end;
  return {
    language_detection: feature(false, false),
    transfer_to_agent: feature(plan.agent.handsTo !== undefined, plan.specialist !== undefined),
    transfer_to_number: feature(isPhone(plan.channel), outcome === 'transferred' || outcome === 'transfer_failed'),
    voicemail_detection: feature(isPhone(plan.channel), outcome === 'voicemail'),
    dtmf_tones: feature(false, false),
    is_livekit: false,
    pii_zrm_workspace: false,
    pii_zrm_agent: plan.zeroRetention,
  };
}
