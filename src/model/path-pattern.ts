import { findsPattern } from '#model/linear-pattern.ts';

const ROOTS = new Set(['capsules', 'environments', 'policies']);
const SEGMENT = /^[^*?[\]{}!\\/\p{C}]*(?:\*[^*?[\]{}!\\/\p{C}]*)*$/u;

/**
 * Paths that trust entries and thresholds name, of units that trust judges. Segments stand between slashes; `*` in one is any text
 * without a slash, `**` alone is any number of folders, and at the end the folder itself and all below it. Nothing else is special,
 * and a pattern matches whole paths. Answers why a text is no such pattern.
 */
export function faultOfPathPattern(pattern: string): string | undefined {
  const segments = pattern.split('/');
  const [root = ''] = segments;
  if (!ROOTS.has(root) && root !== '**') return 'it must begin with capsules/, environments/, policies/ or **';
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return 'it has a part that is empty, . or ..';
  const odd = segments.find((segment) => segment !== '**' && (segment.includes('**') || !SEGMENT.test(segment)));
  if (odd !== undefined) return 'beside * and ** alone between slashes nothing is special, and ? [ ] { } ! \\ do not occur';
  if (segments.some((segment, index) => segment === '**' && segments[index + 1] === '**')) return 'it has ** twice in a row';
  if (root === 'capsules' && (segments.length > 3 || (segments.length === 3 && segments[2] !== '**')))
    return 'a capsule is judged as a whole: write capsules/NAME or capsules/NAME/**';
  return segments.length === 1 && root !== '**' ? `write ${root}/**` : undefined;
}

/** Whether one of the patterns matches the path; undefined patterns match everywhere, also where there is no path. */
export function isOnPaths(patterns: readonly string[] | undefined, path: string | undefined): boolean {
  if (patterns === undefined) return true;
  return path !== undefined && patterns.some((pattern) => findsPattern(expressionOf(pattern), path) === true);
}

function expressionOf(pattern: string): string {
  const segments = pattern.split('/');
  let text = '';
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '**') text += isLast ? (index === 0 ? '.*' : '(?:/.*)?') : `${index === 0 ? '' : '/'}(?:[^/]+/)*`;
    else text += `${index === 0 || segments[index - 1] === '**' ? '' : '/'}${segment.split('*').map(escaped).join('[^/]*')}`;
  }
  return `^(?s:${text})$`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
}
