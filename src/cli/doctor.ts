import { diagnose } from '#loops/doctor.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument, printable } from './output.ts';
import { placeOf } from './repository.ts';

const MARK = { ok: 'ok  ', warning: 'warn', failed: 'FAIL' } as const;

export async function doctor({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const signer = await powers.openSigner(placeOf(options), terminal);
    const findings = await diagnose(world, { publicKey: signer.publicKey, fix: options.fix === true, webhook: world.webhook });
    if (format === 'json') printDocument(terminal, 'Diagnosis', { items: findings });
    else
      for (const finding of findings)
        terminal.out(
          `${MARK[finding.state]}  ${printable(`${finding.subject}: ${finding.detail}`)}\n${finding.remedy === undefined ? '' : `      ${printable(finding.remedy)}\n`}`,
        );
    return findings.some((finding) => finding.state === 'failed') ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}
