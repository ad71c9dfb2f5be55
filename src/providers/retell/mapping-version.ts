/** Of the mapping from Retell's words to ours: goes up with every change of it, and is kept with each document that it read. */
export const MAPPING_VERSION = 5;
