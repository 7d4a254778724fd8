import { quoted } from './quoted.ts';

/** The five fields as Kubernetes and KEDA read them (robfig/cron, standard parser): Sunday is 0 and never 7. */
const FIELDS = [
  { name: 'minute', least: 0, most: 59, words: [] },
  { name: 'hour', least: 0, most: 23, words: [] },
  { name: 'day of the month', least: 1, most: 31, words: [] },
  { name: 'month', least: 1, most: 12, words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { name: 'day of the week', least: 0, most: 6, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const;
const NAMED: ReadonlySet<string> = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

type Field = (typeof FIELDS)[number];

/** What is wrong with a cron expression; undefined for one that holds. */
export function cronMistake(text: string): string | undefined {
  if (NAMED.has(text) || /^@every ([0-9]+(\.[0-9]+)?(h|m|s))+$/.test(text)) return undefined;
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length)
    return `${quoted(text, 80)} has ${parts.length} of the 5 fields minute, hour, day, month and day of the week`;
  for (const [at, field] of FIELDS.entries()) {
    const wrong = (parts[at] ?? '').split(',').find((one) => !isPart(one, field));
    if (wrong !== undefined) return `${quoted(wrong, 40)} is no ${field.name} from ${field.least} to ${field.most}`;
  }
  return undefined;
}

function isPart(text: string, field: Field): boolean {
  const [range = '', step, ...more] = text.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9][0-9]{0,4}$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const ends = range.split('-').map((end) => valueOf(end, field));
  const [from, to = from] = ends;
  return ends.length <= 2 && from !== undefined && to !== undefined && from >= field.least && to <= field.most && from <= to;
}

function valueOf(text: string, { words, least }: Field): number | undefined {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  const named = words.findIndex((word) => word === text.toLowerCase());
  return named < 0 ? undefined : named + least;
}
