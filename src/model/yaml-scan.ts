import type { CST as Tokens } from 'yaml';

import { yaml } from '#model/on-demand.ts';
import { visibleText } from '#model/quoted.ts';

export interface YamlScan {
  readonly findings: readonly { readonly feature: string; readonly offset: number }[];
  /** False when the text must not be given to the parser: it nests too deep, or a directive changes how it reads. */
  readonly readable: boolean;
}

const FEATURES: Readonly<Partial<Record<Tokens.TokenType, string>>> = {
  alias: 'an alias',
  anchor: 'an anchor',
  tag: 'a tag',
  'directive-line': 'a directive',
};
const MOST_FINDINGS = 50;
/** Scalars, keys included: a file within the byte limit could still hold half a million. */
const MOST_SCALARS = 100_000;

/**
 * Walks the tokens of a YAML text once, before anything recursive sees it: forbidden features at their offset, and how deep it nests
 * (columns that open a block level, plus open flow collections).
 */
export function scanYaml(text: string, depthLimit: number): YamlScan {
  const findings: { readonly feature: string; readonly offset: number }[] = [];
  const columns: number[] = [];
  let flow = 0;
  let scalars = 0;
  let offset = text.startsWith('\ufeff') ? 1 : 0;
  let lineStart = offset;
  let readable = true;
  let scalarNext = false;
  const { CST, Lexer } = yaml();
  for (const source of new Lexer().lex(text)) {
    const type = scalarNext ? 'scalar' : CST.tokenType(source);
    scalarNext = false;
    const column = offset - lineStart;
    if (source === CST.DOCUMENT || source === CST.FLOW_END) continue;
    if (source === CST.SCALAR) {
      scalarNext = true;
      scalars += 1;
      continue;
    }
    const feature = type === null ? undefined : FEATURES[type];
    if (feature !== undefined) add(findings, `${feature} (${visibleText(source.trim(), 40)})`, offset);
    if (type === 'directive-line') readable = false;
    if (type === 'flow-map-start' || type === 'flow-seq-start') flow += 1;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') flow -= 1;
    else if (flow === 0 && (type === 'scalar' || type === 'seq-item-ind' || type === 'explicit-key-ind')) enterColumn(columns, column);
    if (columns.length + flow > depthLimit + 1) {
      add(findings, `more than ${depthLimit} levels of nesting`, offset);
      return { findings, readable: false };
    }
    if (scalars > MOST_SCALARS) {
      add(findings, `more than ${MOST_SCALARS.toLocaleString('en-US')} values`, offset);
      return { findings, readable: false };
    }
    offset += source.length;
    const newline = source.lastIndexOf('\n');
    if (newline >= 0) lineStart = offset - source.length + newline + 1;
  }
  return { findings, readable };
}

function enterColumn(columns: number[], column: number): void {
  while (columns.length > 0 && (columns.at(-1) ?? 0) > column) columns.pop();
  if ((columns.at(-1) ?? -1) < column) columns.push(column);
}

function add(findings: { readonly feature: string; readonly offset: number }[], feature: string, offset: number): void {
  if (findings.length < MOST_FINDINGS) findings.push({ feature, offset });
}
