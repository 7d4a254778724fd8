import { quoted } from '#model/quoted.ts';
import type { ChosenContext, Entry } from './kubeconfig.ts';
import { besideFile, entryText } from './kubeconfig.ts';
import { readTextFile } from './text-file.ts';

/** Text of certificates or a key, written in the kubeconfig or in a file that it names. */
export interface PemSource {
  /** For messages: the file, or the field that holds the text. */
  readonly named: string;
  /** Of the field. */
  readonly pointer: string;
  read(): Promise<string>;
}

const LIMIT = 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** `<field>-data` wins over `<field>`, as with kubectl. Files are read again each time: they are how certificates are renewed. */
export function pemSource(chosen: ChosenContext, entry: Entry, field: string): PemSource | undefined {
  const { file, refuse } = chosen;
  const about = `${field} of ${entry.kind} ${quoted(entry.name)}`;
  const data = entryText(entry, `${field}-data`, refuse);
  if (data !== undefined) {
    const text = decoded(data);
    const pointer = `${entry.pointer}/${field}-data`;
    if (text === undefined)
      throw refuse(pointer, `${field}-data of ${entry.kind} ${quoted(entry.name)} is no base64 of PEM text`, 'Copy it again.');
    return { named: `${field}-data in ${file}`, pointer, read: () => Promise.resolve(text) };
  }
  const written = entryText(entry, field, refuse);
  if (written === undefined) return undefined;
  const path = besideFile(file, written);
  const pointer = `${entry.pointer}/${field}`;
  return {
    named: path,
    pointer,
    async read() {
      const found = await readTextFile(path, LIMIT);
      if (found.kind === 'text' && found.text.includes('-----BEGIN ')) return found.text;
      const why = found.kind === 'text' ? 'it holds no PEM text' : found.why;
      throw refuse(pointer, `${about} is ${path}, and ${why}`, 'Put the file there or correct its name.');
    },
  };
}

function decoded(data: string): string | undefined {
  const compact = data.replace(/\s+/g, '');
  if (!BASE64.test(compact)) return undefined;
  const text = Buffer.from(compact, 'base64').toString('latin1');
  return text.includes('-----BEGIN ') ? text : undefined;
}
