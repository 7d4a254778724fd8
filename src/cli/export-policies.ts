import { EXPORT_FORMATS, policiesForClusters } from '#loops/export-policies.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { listed } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { printProblems } from './output.ts';
import { placeOf, snapshotOf } from './repository.ts';

/** Policies as objects that a cluster enforces by itself, on stdout for `kubectl apply -f -`. */
export async function exportPoliciesAs({ words, options, powers, terminal }: Invocation): Promise<number> {
  const wanted = (options.format as string | undefined) ?? 'vap';
  const format = EXPORT_FORMATS.find((one) => one === wanted);
  if (format === undefined) throw new UsageError(`--format is ${EXPORT_FORMATS.join(' or ')}, not "${wanted}"`);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const at = await snapshotOf(world, options.rev as string | undefined);
    const exported = await policiesForClusters(at.world, at.snapshot, { format, names: words });
    const unknown = words.find((word) => !exported.known.includes(word));
    if (unknown !== undefined) throw new UsageError(`there is no policy "${unknown}"${didYouMean(unknown, exported.known)}`);
    printProblems(terminal, exported.problems);
    for (const name of exported.idle) terminal.say(`${name} is in force in no environment, so nothing binds it.\n`);
    if (exported.objects.length === 0 && exported.problems.length === 0) terminal.say(nothingText(format, exported));
    terminal.out(exported.objects.map((object) => `---\n${writeKubernetesYaml(object)}`).join(''));
    return exported.problems.some((problem) => problem.severity === 'error') ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}

/** `kubectl apply` ends with an error of its own where nothing comes in; this says why nothing came. */
function nothingText(format: string, { known, idle }: { readonly known: readonly string[]; readonly idle: readonly string[] }): string {
  const remedy =
    known.length === 0
      ? 'Write a policy below policies/ first.'
      : idle.length > 0
        ? 'Name it below spec.policies of an environment, or widen match.environments of the policy.'
        : `No policy has ${format} below spec.export: add it there, or name policies (known: ${listed(known)}).`;
  return `There is nothing to export, so nothing for kubectl to apply. ${remedy}\n`;
}
