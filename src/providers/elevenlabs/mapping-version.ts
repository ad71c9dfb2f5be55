/** Version of the mapping from ElevenLabs' documents to claims. Increase it with every change; it is stored with each document. */
export const MAPPING_VERSION = 4;
