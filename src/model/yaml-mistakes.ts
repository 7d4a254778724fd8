import { visibleText } from '#model/quoted.ts';

/** An error of the YAML reader: its code, its own words, and where it begins. */
export interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

export interface YamlMistake {
  readonly sentence: string;
  readonly remedy: string;
  readonly offset: number;
}

interface Words {
  readonly sentence: string;
  readonly remedy: string;
}

const DEEPER: Words = {
  sentence: 'this key has a value already, and the next line is indented below it',
  remedy: 'Indent the next line like this one, or take the value out.',
};
const SHIFTED: Words = {
  sentence: 'this line starts in another column than the lines it belongs to',
  remedy: 'Give it as many spaces as its neighbours have; look at the line above, too.',
};
const TAB: Words = { sentence: 'tabs are not allowed as indentation', remedy: 'Write spaces.' };
const SLIPS: ReadonlyMap<string, Words> = new Map([
  ['MULTILINE_IMPLICIT_KEY', DEEPER],
  ['BLOCK_AS_IMPLICIT_KEY', DEEPER],
]);

/** What a person has to mend. One slip of the indentation makes the reader stumble over every line behind it: only the first counts. */
export function yamlMistakes(errors: readonly YamlError[]): readonly YamlMistake[] {
  const tabs = errors.filter((error) => error.code === 'TAB_AS_INDENT');
  const mistakes: YamlMistake[] = [];
  let hasSlipped = false;
  for (const { code, message, pos } of tabs.length > 0 ? tabs : errors) {
    const slip = tabs.length > 0 ? TAB : slipOf(code, message);
    const isEcho = mistakes.some((mistake) => mistake.offset === pos[0]) || (hasSlipped && slip !== undefined && slip !== TAB);
    hasSlipped ||= slip !== undefined;
    if (isEcho) continue;
    mistakes.push({
      ...(slip ?? { sentence: visibleText(message.split('\n')[0] ?? message), remedy: 'Mend the text at this place.' }),
      offset: pos[0],
    });
  }
  return mistakes;
}

function slipOf(code: string, message: string): Words | undefined {
  return /^All (mapping|sequence|collection) items must start at the same column/.test(message) ? SHIFTED : SLIPS.get(code);
}
