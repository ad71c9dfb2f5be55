// Formats results as text. Pure.
import { isMet, LOWER_IS_BETTER, type Figure, type Result } from './results.js';

/** How far below the recorded median a ratio may fall. */
const TOLERATED = 0.7;

const UNIT: Record<Figure['unit'], string> = {
  ratio: '',
  ms: ' ms',
  'events a sync': '',
  'a second': ' a second',
  MB: ' MB',
};

export const valueText = ({ unit, median, min, max }: Figure): string =>
  min === max ? `${median}${UNIT[unit]}` : `${median}${UNIT[unit]} (${min}–${max})`;

export const goalText = ({ unit, goal }: Figure): string =>
  goal === undefined ? '' : `${LOWER_IS_BETTER.has(unit) ? '≤' : '≥'} ${goal}${UNIT[unit]}`;

/** One line per figure. */
export function describe({ name, title, figures, flags, fdatasync }: Result): string[] {
  const lines = figures.map((figure) => {
    const met = isMet(figure);
    const verdict = met === null ? '' : ` · goal ${goalText(figure)}: ${met ? 'met' : 'missed'}`;
    return `  ${figure.what}: ${valueText(figure)}${verdict}`;
  });
  const disk = `  fdatasync in the same run: ${fdatasync.perSecond} a second, median ${fdatasync.medianMs} ms`;
  return [`${name} ${title}`, ...lines, disk, ...flags.map((flag) => `  ! ${flag}`)];
}

/** Gated figures that are more than 30 % below the recorded median, or were not measured; one line each. */
export function isBelow(result: Result, recorded: Result): string[] {
  const gated = recorded.figures.filter((figure) => figure.gated === true);
  return gated.flatMap(({ what, median: before }) => {
    const now = result.figures.find((figure) => figure.what === what)?.median;
    if (now === undefined) return [`${result.name} ${what}: recorded ${before}, not measured`];
    return now >= TOLERATED * before
      ? []
      : [`${result.name} ${what}: ${now}, recorded ${before}: more than 30 % lower`];
  });
}
