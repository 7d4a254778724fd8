import { readFile } from 'node:fs/promises';

export const ROOT = new URL('../../', import.meta.url).pathname;

/** The `sh` blocks of one section of README.md, in order. */
export async function shellBlocks(section: string): Promise<readonly string[]> {
  const text = await readFile(`${ROOT}README.md`, 'utf8');
  const [, after] = text.split(`\n## ${section}\n`);
  if (after === undefined) throw new Error(`README.md has no section "${section}"`);
  const [body = ''] = after.split('\n## ');
  return [...body.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
}

/** One script that stops at the first line that fails; `# exits N` after a line says which code it must have. */
export function scriptOf(blocks: readonly string[]): string {
  const lines = blocks.join('\n').split('\n');
  const checked = lines.map((line) => {
    const [, command, code] = /^(.*?)\s*# exits (\d+)$/.exec(line) ?? [];
    return command === undefined ? line : `code=0; ${command} || code=$?; [ "$code" -eq ${code} ]`;
  });
  return `set -eu\n${checked.join('\n')}\n`;
}
