import { attestedContents } from '#loops/attested.ts';
import { evidenceBranch } from '#loops/evidence-branch.ts';
import { trustMaterial } from '#loops/trust-material.ts';
import type { ContentEvidence } from '#model/evidence.ts';
import { instantText } from '#model/instant.ts';
import { subjectsIn } from './attest.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument, tableText } from './output.ts';
import { headOf, placeOf } from './repository.ts';

/** What lies on the evidence branch, and beside artifacts where the configuration names a registry, about contents, judged by the trust of the default branch. */
export async function evidence({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const environment = options.environment as string | undefined;
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const subjects = await subjectsIn(world, (options.rev as string | undefined) ?? 'HEAD', words);
    const main = await headOf(world);
    const { trust } = await world.history.upTo(main);
    const pins = subjects.map((subject) => ({ ...subject, instance: `${subject.capsule}@${subject.version}` }));
    const material = await trustMaterial(world, trust);
    const contents = await attestedContents(world, {
      head: await world.repository.resolve(evidenceBranch(trust.project)),
      pins,
      material,
      beside: await world.registryEvidence.of(pins, material),
      path: environment === undefined ? undefined : `environments/${environment}/environment.lock.yaml`,
      at: world.clock.now(),
    });
    const items = contents.map(documentOf);
    if (format === 'json') printDocument(terminal, 'EvidenceList', { items });
    else terminal.out(tableText(['CAPSULE', 'FOR', 'STATEMENT', 'SIGNED BY', 'SINCE'], contents.flatMap(rowsOf)));
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

function documentOf({ capsule, version, sha256, gitTree, found, refused, unread, isCut }: ContentEvidence): object {
  return {
    capsule,
    version,
    sha256,
    gitTree,
    statements: found.map(({ answers, predicateType, signer, issuedAt }) => ({
      for: answers,
      predicateType,
      signer: signer?.name ?? null,
      issuedAt: issuedAt === undefined ? null : instantText(issuedAt),
    })),
    refused: refused.map(({ answers, reason }) => ({ for: answers, reason })),
    unread: unread ?? null,
    isCut,
  };
}

function rowsOf({ capsule, version, found, refused, unread }: ContentEvidence): readonly string[][] {
  const what = `${capsule}@${version}`;
  if (found.length + refused.length === 0 && unread === undefined) return [[what, '', 'no evidence', '', '']];
  return [
    ...(unread === undefined ? [] : [[what, '', `could not look: ${unread}`, '', '']]),
    ...found.map((one) => [
      what,
      one.answers,
      one.predicateType,
      one.signer?.name ?? '',
      one.issuedAt === undefined ? '' : instantText(one.issuedAt),
    ]),
    ...refused.map((one) => [what, one.answers, `refused: ${one.reason}`, '', '']),
  ];
}
