import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { SealedDocument } from '#model/sealed.ts';
import { toSecret } from '#model/secret.ts';
import type { Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { runLimited } from './limited-run.ts';
import type { Programs } from './programs.ts';
import { bareEnvironment, inScratch } from './scratch.ts';

const LIMITS = { milliseconds: 20_000, outputBytes: 4 * 1024 * 1024, memoryMegabytes: 1024 };

/**
 * The real sops, with age identities of this machine. The document goes in by standard input and comes back by standard output: neither is
 * ever a file. sops checks the message authentication code over the whole document, so no value can be moved, exchanged or left out.
 */
export function sopsSecrets(known: Programs, ageKey: Secret | undefined): SealedSecrets {
  async function open(document: SealedDocument, signal?: AbortSignal): Promise<ReadonlyMap<string, Secret>> {
    if (ageKey === undefined) throw new PortError('denied', 'the configuration has no sops.ageKey, so no encrypted file can be opened');
    const program = await known.findAny('sops');
    if (program.kind === 'missing')
      throw new PortError(
        'unsupported',
        `sops is needed and not here (${program.found}): install it on PATH, or name it in capstan.yaml under tools.sops`,
      );
    const end = await inScratch((folder) =>
      runLimited(
        {
          program: program.path,
          args: ['decrypt', '--input-type', document.type, '--output-type', 'json', '--filename-override', `document.${document.type}`],
          folder,
          env: { ...bareEnvironment(folder), SOPS_AGE_KEY: ageKey.reveal(), SOPS_DISABLE_VERSION_CHECK: 'true' },
          input: Buffer.from(document.text),
        },
        LIMITS,
        signal,
      ),
    );
    if (end.kind === 'limit') throw new PortError('invalid', `sops ${end.what}`);
    if (end.exit !== 0) throw new PortError('denied', `sops could not open an encrypted file: ${reasonOf(end.stderr)}`);
    return valuesOf(document, end.stdout.toString('utf8'));
  }

  return { open };
}

/** Only what is known to hold no value: in its own words sops quotes what it could not decrypt. */
function reasonOf(stderr: string): string {
  if (/MAC mismatch|Error decrypting tree/i.test(stderr)) return 'it was changed after it was encrypted';
  if (/Failed to get the data key/i.test(stderr)) return 'no age key of this machine opens it';
  if (/unmarshal/i.test(stderr)) return 'it is not a document of sops';
  return 'it gave a reason that is not repeated here';
}

function valuesOf(document: SealedDocument, text: string): ReadonlyMap<string, Secret> {
  const opened = parsed(text);
  return new Map(
    Object.entries(document.keys).map(([key, from]) => {
      const value = isJsonObject(opened) && Object.hasOwn(opened, from) ? opened[from] : undefined;
      const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      if (!isScalar) throw new PortError('invalid', `the encrypted file has no text under ${JSON.stringify(from)}`);
      return [key, toSecret(String(value))] as const;
    }),
  );
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new PortError('invalid', 'sops printed no JSON');
  }
}
