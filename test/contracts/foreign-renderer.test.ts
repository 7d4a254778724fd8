import { foreignRendererContract } from './foreign-renderer.contract.ts';
import { MEMORY_VERSIONS, memoryForeignRenderer } from './memory-foreign-renderer.ts';

foreignRendererContract('the double in memory', () => ({ renderer: memoryForeignRenderer(), ...MEMORY_VERSIONS }));
