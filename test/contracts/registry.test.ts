import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { registryContract } from '#test/contracts/registry.contract.ts';

registryContract('in memory', async () => ({
  registry: memoryRegistry({ state: registryState() }),
  host: 'registry.acme.example',
  tidy: async () => undefined,
}));
