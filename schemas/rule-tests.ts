/** Finds the tests of every rule by their names: `V-38: one of two`, under `near misses` or in an array NEAR_MISSES what it does not mind. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { parseSync, Visitor } from 'oxc-parser';

export interface RuleTest {
  readonly rule: string;
  readonly kind: 'violation' | 'near miss';
  readonly file: string;
  readonly title: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const ROOT = join(import.meta.dirname, '..');
/** `V-06, V-07 and V-08: a higher version`; an expected problem begins like `V-06 versions-equal capsules/...` or `V-06 error`. */
const TITLE = /^((?:V-\d\d)(?:(?:, | and )V-\d\d)*)(?=$|[:,]| (?!error\b|warning\b|\/|\d|[a-z]+(?:-[a-z0-9]+)+ ))/;
const NEAR_MISS = /near.?miss|does not mind|\b(is|are) fine\b|\bno violation\b/i;

/** Every test that names a rule, in the order of files. */
export function findRuleTests(): readonly RuleTest[] {
  const folder = join(ROOT, 'test');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((path) => ruleTestsOf(relative(ROOT, path), readFileSync(path, 'utf8')));
}

/** The tests of one file: titles of `test`, and first texts of the rows of tables. */
export function ruleTestsOf(file: string, text: string): readonly RuleTest[] {
  if (!text.includes('V-')) return [];
  const found: RuleTest[] = [];
  const near = nearMissRanges(file, text);
  const add = (node: Node | undefined): void => {
    if (node?.type !== 'Literal' || typeof node['value'] !== 'string') return;
    const title = node['value'];
    const rules = TITLE.exec(title)?.[1];
    if (rules === undefined) return;
    const isNear = NEAR_MISS.test(title) || near.some(([start, end]) => start <= node.start && node.end <= end);
    for (const [rule] of rules.matchAll(/V-\d\d/g)) found.push({ rule, kind: isNear ? 'near miss' : 'violation', file, title });
  };
  new Visitor({
    ArrayExpression: (node) => {
      if (node.elements.length > 1) add(nodeOf(node.elements[0]));
    },
    CallExpression: (node) => {
      if (/^(test|it)\b/.test(text.slice(node.callee.start, node.callee.end))) add(nodeOf(node.arguments[0]));
    },
  }).visit(parseSync(file, text).program);
  return found;
}

/** What stands inside `describe('near misses', ...)` or `const NEAR_MISSES = ...`. */
function nearMissRanges(file: string, text: string): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  new Visitor({
    CallExpression: (node) => {
      const title = nodeOf(node.arguments[0])?.['value'];
      if (text.startsWith('describe', node.callee.start) && typeof title === 'string' && NEAR_MISS.test(title))
        ranges.push([node.start, node.end]);
    },
    VariableDeclarator: (node) => {
      if (NEAR_MISS.test(text.slice(node.id.start, node.id.end).split(':')[0] ?? '')) ranges.push([node.start, node.end]);
    },
  }).visit(parseSync(file, text).program);
  return ranges;
}

function nodeOf(value: unknown): Node | undefined {
  return typeof value === 'object' && value !== null && 'type' in value ? (value as Node) : undefined;
}
