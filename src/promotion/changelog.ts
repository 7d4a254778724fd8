import type { ChangelogSection } from '#model/promotion.ts';
import { compareVersions, isVersion } from '#model/version.ts';

/** Bytes that are looked at: the newest sections stand first. */
const READ = 256 * 1024;
/** Characters that are kept. */
const KEPT = 8000;

/**
 * Sections of a CHANGELOG.md above `from` up to `to`, newest first, cut to a bound; `## 1.2.3`, `## [1.2.3] - date` and `## v1.2.3` begin
 * one. Of an instance that arrives: the section of its version. Of one that goes back: none.
 */
export function changelogBetween(
  bytes: Uint8Array,
  from: string | undefined,
  to: string,
): { readonly sections: readonly ChangelogSection[]; readonly cut: boolean } {
  const wanted = sectionsOf(new TextDecoder().decode(bytes.subarray(0, READ)))
    .filter(({ version }) =>
      from === undefined ? version === to : compareVersions(version, from) > 0 && compareVersions(version, to) <= 0,
    )
    .sort((a, b) => compareVersions(b.version, a.version));
  const sections: ChangelogSection[] = [];
  let left = KEPT;
  for (const { version, text } of wanted) {
    if (left <= 0) return { sections, cut: true };
    const kept = text.length <= left ? text : text.slice(0, left).toWellFormed();
    sections.push({ version, text: kept });
    left -= text.length;
  }
  return { sections, cut: left < 0 };
}

function sectionsOf(text: string): readonly ChangelogSection[] {
  const sections: { readonly version: string; readonly lines: string[] }[] = [];
  const seen = new Set<string>();
  let open: string[] | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith('## ') || line.startsWith('# ')) {
      const version = versionIn(line);
      open = version === undefined || seen.has(version) ? undefined : [];
      if (version !== undefined && open !== undefined) sections.push({ version, lines: open });
      if (version !== undefined) seen.add(version);
    } else open?.push(line);
  }
  return sections.map(({ version, lines }) => ({ version, text: lines.join('\n').trim() }));
}

function versionIn(heading: string): string | undefined {
  if (!heading.startsWith('## ')) return undefined;
  const word = (heading.slice(3).trim().split(/\s/)[0] ?? '').replace(/^\[(.*)\]$/, '$1').replace(/^v/, '');
  return isVersion(word) ? word : undefined;
}
