// What traffic looks like: draws, by seed, the agent, the channel, the direction and the end of a conversation.
import { Random } from '../random.js';
import { topicOf } from '../talk/topics.js';
import { AGENTS } from './agents.js';
import { ENDS } from './outcomes.js';
import { isPhone, type Scenario } from './plan.js';

/** The scenario of one conversation of traffic. */
export function scenarioOf(seed: string): Scenario & { agentId: string } {
  const random = new Random(`${seed} el scenario`);
  const agent = random.weighted(AGENTS, ({ weight }) => weight);
  const channel = random.pick(agent.channels);
  const isOutbound = random.chance(topicOf(agent.topic, random).outbound) && isPhone(channel);
  const possible = ENDS.filter(
    (end) => (end.phoneOnly !== true || isPhone(channel)) && (end.outboundOnly !== true || isOutbound),
  );
  return {
    agentId: agent.agent_id,
    channel,
    direction: isOutbound ? 'outbound' : 'inbound',
    environment: random.pick(agent.environments),
    outcome: random.weighted(possible, (end) => end.weight * (end.outboundOnly === true ? 2 : 1)).outcome,
    handover: agent.handsTo !== undefined && random.chance(0.45),
  };
}
