import { resolve } from 'node:path';

import type { Layouts, Terminal } from '#cli/powers.ts';

/** OCI image layouts on this machine, below the caller's directory. */
export async function openLayouts(terminal: Terminal): Promise<Layouts> {
  const { archiveRegistry, folderRegistry } = await import('#adapters/oci-layout/oci-layout.ts');
  return {
    folder: async (path) => folderRegistry(resolve(terminal.cwd, path)),
    archive: async (bytes) => archiveRegistry(bytes),
  };
}
