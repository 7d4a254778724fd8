import { buildModule, programPath } from './built-programs.ts';
import { GO_PROGRAMS } from './programs.ts';

/** `node test/servers/build.ts` builds all foreign programs and prints their paths; with the name of a module it builds that one, the caller holding the lock. */
const [module] = process.argv.slice(2);
if (module === undefined) for (const name of Object.values(GO_PROGRAMS).flatMap((program) => program.names)) console.log(programPath(name));
else buildModule(module);
