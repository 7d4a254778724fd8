import type { HelmRequest } from '#model/foreign.ts';

/** `--skip-schema-validation` is there since. */
const FIRST_THAT_CAN_SKIP = [3, 16] as const;
const KNOWN_DIALECT = /^https?:\/\/json-schema\.org\/(draft-0[467]|draft\/20(19-09|20-12))\/schema#?$/;
const REFERENCES: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);

/**
 * What helm is to do with the values.schema.json of a chart: it follows their references wherever they lead, to files of this machine
 * (whose content it quotes in what it says) and to servers on it, which no proxy keeps it from.
 */
export function schemaArguments({ version, files }: Pick<HelmRequest, 'version' | 'files'>): readonly string[] | 'refused' {
  // What lies in an archive is not looked at here.
  const isClosed = [...files].every(
    ([path, content]) => !isArchive(content) && (!path.endsWith('values.schema.json') || keepsToItself(content)),
  );
  if (isClosed) return [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = FIRST_THAT_CAN_SKIP;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor) ? ['--skip-schema-validation'] : 'refused';
}

/** Begins as gzip does, whatever it is called. */
function isArchive(content: Uint8Array): boolean {
  return content[0] === 0x1f && content[1] === 0x8b;
}

function keepsToItself(content: Uint8Array): boolean {
  try {
    return isClosedSchema(JSON.parse(Buffer.from(content).toString('utf8')));
  } catch {
    return false;
  }
}

function isClosedSchema(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return true;
  return Object.entries(part).every(([key, value]: [string, unknown]) => {
    if (typeof value !== 'string') return isClosedSchema(value);
    if (REFERENCES.has(key)) return value.startsWith('#');
    return key !== '$schema' || KNOWN_DIALECT.test(value);
  });
}
