import type { Secret } from '#model/secret.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { RunLimits } from './limited-run.ts';
import type { ToolPlaces } from './programs.ts';

/** The real helm and kustomize, as many at once as the machine has cores. Most repositories have no chart: what runs them is loaded for the first. */
export function foreignRenderer(places: ToolPlaces, limits: Partial<RunLimits> = {}): ForeignRenderer {
  let opened: Promise<ForeignRenderer> | undefined;
  let runs = (): number => 0;
  return {
    async render(request, signal) {
      opened ??= import('./helm-and-kustomize.ts').then(({ helmAndKustomize }) => helmAndKustomize(places, limits));
      const renderer = await opened;
      runs = () => renderer.counts().runs;
      return renderer.render(request, signal);
    },
    counts: () => ({ runs: runs() }),
  };
}

/** Files that sops encrypted for age recipients. */
export function sealedSecrets(places: ToolPlaces, ageKey: Secret | undefined): SealedSecrets {
  let opened: Promise<SealedSecrets> | undefined;
  return {
    async open(document, signal) {
      opened ??= Promise.all([import('./programs.ts'), import('./sops.ts')]).then(([{ programs }, { sopsSecrets }]) =>
        sopsSecrets(programs(places), ageKey),
      );
      return (await opened).open(document, signal);
    },
  };
}
