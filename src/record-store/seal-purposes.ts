/** Purposes that a conversation's content is sealed for; a blob does not open in another's place. */
export const PURPOSE = {
  header: 'header',
  state: 'state',
  record: 'provider_record',
  transcript: 'transcript',
} as const;
