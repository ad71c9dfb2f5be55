// Everything that simulated conversations may be about.
import type { Random } from '../random.js';
import type { Topic } from './topic.js';
import { CARE_TOPICS } from './topics-care.js';
import { ENGLISH_TOPICS } from './topics-english.js';
import { OTHER_TOPICS } from './topics-other.js';
import { SERVICE_TOPICS } from './topics-service.js';

const TOPICS = [...ENGLISH_TOPICS, ...OTHER_TOPICS, ...SERVICE_TOPICS, ...CARE_TOPICS];

/** The topic of a key, any topic for a key that nobody knows. */
export function topicOf(key: string, random: Random): Topic {
  return TOPICS.find((candidate) => candidate.key === key) ?? random.pick(TOPICS);
}
