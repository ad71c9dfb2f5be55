// All topics of simulated conversations.
import type { Random } from '../random.js';
import type { Topic } from './topic.js';
import { CARE_TOPICS } from './topics-care.js';
import { ENGLISH_TOPICS } from './topics-english.js';
import { OTHER_TOPICS } from './topics-other.js';
import { SERVICE_TOPICS } from './topics-service.js';

const TOPICS = [...ENGLISH_TOPICS, ...OTHER_TOPICS, ...SERVICE_TOPICS, ...CARE_TOPICS];

/** The topic of a key; a random one for an unknown key. */
export function topicOf(key: string, random: Random): Topic {
  return TOPICS.find((candidate) => candidate.key === key) ?? random.pick(TOPICS);
}
