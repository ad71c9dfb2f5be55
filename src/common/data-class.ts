/**
 * What a retention policy and a key cover: `transcript` is what was said, `audio` the recordings, `analysis` what was made of
 * it (title, summary, reasons of a judgement), and `record` everything else.
 */
export const DATA_CLASSES = ['record', 'transcript', 'audio', 'analysis'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

/** Something in parts. A part that is empty, or was erased, is absent. */
export type ByClass<Part> = Partial<Record<DataClass, Part>>;

/** The same for each part, by class; absent ones stay absent. */
export function mapParts<Part, Result>(
  parts: ByClass<Part>,
  each: (part: Part, dataClass: DataClass) => Result,
): ByClass<Result> {
  const mapped: ByClass<Result> = {};
  for (const dataClass of DATA_CLASSES) {
    const part = parts[dataClass];
    if (part !== undefined) mapped[dataClass] = each(part, dataClass);
  }
  return mapped;
}
