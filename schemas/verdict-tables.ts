/** Writes the tables of verdicts in docs/trust.md from the data of the live tests. */
import { BUNDLE_VERDICTS } from '#test/verdict-tables/bundles.ts';
import { COMMIT_VERDICTS, type CommitVerdictRow } from '#test/verdict-tables/commits.ts';
import { IMAGE_VERDICTS, type ImageVerdictRow } from '#test/verdict-tables/images.ts';

export const TRUST_PAGE = new URL('../docs/trust.md', import.meta.url);

const BEGIN = '<!-- verdicts:begin -->';
const END = '<!-- verdicts:end -->';

/** The page with its tables as they follow from the data now; the rest is left as people wrote it. */
export function withVerdicts(page: string): string {
  const [before, rest = ''] = page.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined) throw new Error(`docs/trust.md must have ${BEGIN} and ${END}`);
  return [before, BEGIN, '\n\n', tables().join('\n'), '\n', END, after].join('');
}

function tables(): readonly string[] {
  return [
    '### Commits and tags',
    '',
    'Made by stock git with OpenSSH, GnuPG, gpgsm or openssl (`test/live/signed-objects.ts`), asked with `--allowed-signers`, `--openpgp-keyring` or',
    '`--x509-root`. *git* is what git 2.39 with OpenSSH 9.2 and GnuPG 2.2 says with the same keys.',
    '',
    '| signature | what there is | options | verdict | git |',
    '|---|---|---|---|---|',
    ...COMMIT_VERDICTS.map(commitRow),
    '',
    '### Images',
    '',
    'Made by cosign 3.1.3 in a registry (`test/live/verify-image.test.ts`), asked with `--key`.',
    '',
    '| what there is | options | key | verdict | cosign |',
    '|---|---|---|---|---|',
    ...IMAGE_VERDICTS.map(imageRow),
    '',
    '### Bundles',
    '',
    'The 70 vectors of [sigstore-conformance](https://github.com/sigstore/sigstore-conformance), with the artifact at hand and with its digest alone',
    '(`test/adapters/sigstore/vectors.test.ts`). The verdict on each is the one that upstream asks for.',
    '',
    '| verdict | vectors |',
    '|---|---|',
    ...bundleRows(),
    '',
  ];
}

function commitRow({ form, made, asked, code, git }: CommitVerdictRow): string {
  return row([form, made, optionsText(asked), verdictText(code), git]);
}

function imageRow({ made, asked, key, code, cosign }: ImageVerdictRow): string {
  return row([made, optionsText(asked), key === 'own' ? 'the right one' : 'another', verdictText(code), cosign]);
}

/** By verdict, accepted first. */
function bundleRows(): readonly string[] {
  const codes = [...new Set(BUNDLE_VERDICTS.map(({ code }) => code))].sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));
  return codes.map((code) => {
    const vectors = BUNDLE_VERDICTS.filter((one) => one.code === code).map(({ vector }) => `\`${vector}\``);
    return row([`${verdictText(code)} (${vectors.length})`, vectors.join(', ')]);
  });
}

function optionsText(asked: readonly string[] | undefined): string {
  return asked === undefined || asked.length === 0 ? '' : `\`${asked.join(' ')}\``;
}

function verdictText(code: string | null): string {
  return code === null ? 'accepted' : `\`${code}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
