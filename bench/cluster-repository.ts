import { execFileSync } from 'node:child_process';

import { lockText } from '#resolve/resolve.ts';
import { clusterFiles, type ClusterContent, ENVIRONMENT, environmentText } from './cluster-content.ts';
import { GIT_ENVIRONMENT, startImport } from './fast-import.ts';
import { lockPath, pinOf } from './generate.ts';

/** The bare repository that an engine follows: its commits say what the ConfigMaps shall be. */
export interface ClusterRepository {
  readonly path: string;
  /** Commits an environment with these values. Capsules stay what they are. */
  commit(content: ClusterContent): Promise<void>;
}

const EPOCH = 1_767_225_600;

/** One commit with the capsules of `content` and an environment that has none of them, and its lock. */
export async function createClusterRepository(options: {
  readonly path: string;
  readonly content: ClusterContent;
  readonly namespace: string;
  /** The lines below the target. */
  readonly driver: readonly string[];
}): Promise<ClusterRepository> {
  const { path, content, namespace, driver } = options;
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path], { env: GIT_ENVIRONMENT });
  const environmentFile = (of: ClusterContent) => ({
    path: `environments/${ENVIRONMENT}/environment.yaml`,
    text: environmentText(of, { namespace, driver }),
  });
  const { declarations, capsules } = clusterFiles(content);
  const lock = (pins: Parameters<typeof lockText>[1]) => ({ path: lockPath(ENVIRONMENT), text: lockText(ENVIRONMENT, pins, undefined) });
  const stream = startImport(path);
  const nothing = { ...content, count: 0 };
  const files = [...declarations, environmentFile(nothing), lock([]), ...capsules.flatMap((capsule) => capsule.below)];
  const first = await stream.commit({ files, message: 'Declare capsules', at: EPOCH, follows: false });
  await stream.end();
  const pins = capsules.map((capsule) => pinOf(capsule, capsule.version, first));
  let commits = 0;
  return {
    path,
    async commit(of) {
      commits += 1;
      const again = startImport(path);
      const changed = [environmentFile(of), lock(of.count === 0 ? [] : pins)];
      await again.commit({ files: changed, message: `Revision ${of.revision}`, at: EPOCH + 60 * commits, follows: true });
      await again.end();
    },
  };
}
