import type { YamlPair } from '#model/yaml-splice.ts';

const ENTRY = /^ {2}([a-z0-9][a-z0-9.-]*):$/;
const FIELD = /^ {4}(capsule|version|commit|gitTree|sha256): ("[0-9a-zA-Z.-]+"|[0-9a-zA-Z.-]+)$/;
const ASKED = /^ {4}requestedBy:$/;
const ITEM = /^ {6}- [a-z0-9.-]+$/;

/**
 * The pairs of a lock in exactly the layout that `newLock` writes, read line by line; undefined for anything else, which a YAML parser must
 * read. Locks of thousands of instances are the engine's own writing, and parsing them again would cost seconds.
 */
export function lockLines(text: string): ((path: readonly string[]) => readonly YamlPair[] | undefined) | undefined {
  const head = /^apiVersion: \S+\nkind: EnvironmentLock\nmetadata:\n {2}environment: \S+\n/.exec(text)?.[0];
  if (head === undefined || !text.startsWith('capsules:\n', head.length)) return undefined;
  const entries: YamlPair[] = [];
  const fields = new Map<string, YamlPair[]>();
  let own: YamlPair[] = [];
  let at = head.length + 'capsules:\n'.length;
  for (let end = text.indexOf('\n', at); end >= 0; at = end + 1, end = text.indexOf('\n', at)) {
    const line = text.slice(at, end);
    if (!line.startsWith(' ')) break;
    const entry = ENTRY.exec(line);
    const field = FIELD.exec(line);
    const last = own.at(-1);
    if (entry !== null) {
      const key = entry[1] ?? '';
      if (fields.has(key)) return undefined;
      fields.set(key, (own = []));
      entries.push({ key, start: at, end: end + 1, valueStart: end, valueEnd: end, kind: 'map' });
    } else if (field !== null)
      own.push({ key: field[1] ?? '', start: at, end: end + 1, valueStart: end - (field[2] ?? '').length, valueEnd: end, kind: 'scalar' });
    else if (ASKED.test(line)) own.push({ key: 'requestedBy', start: at, end: end + 1, valueStart: end, valueEnd: end, kind: 'seq' });
    else if (ITEM.test(line) && last?.key === 'requestedBy') own[own.length - 1] = { ...last, end: end + 1, valueEnd: end };
    else return undefined;
    const whole = entries.at(-1);
    if (whole === undefined) return undefined;
    entries[entries.length - 1] = { ...whole, end: end + 1, valueEnd: end };
  }
  if (entries.length === 0 || !text.startsWith('holds:', at)) return undefined;
  const capsules: YamlPair = { key: 'capsules', start: head.length, end: at, valueStart: head.length, valueEnd: at, kind: 'map' };
  return (path) => {
    if (path.length === 0) return [capsules];
    const [first, name] = path;
    if (first !== 'capsules') return undefined;
    return name === undefined ? entries : fields.get(name);
  };
}
