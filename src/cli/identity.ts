import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument } from './output.ts';
import { placeOf } from './repository.ts';

export async function identity({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const signer = await powers.openSigner(placeOf(options), terminal);
  const allowedSigners = `${signer.email} namespaces="git" ${signer.publicKey}`;
  if (format === 'json')
    printDocument(terminal, 'Identity', { name: signer.name, email: signer.email, publicKey: signer.publicKey, allowedSigners });
  else {
    terminal.out(`${signer.publicKey}\n`);
    terminal.out(`${allowedSigners}\n`);
    terminal.say(
      'The first line belongs into Project.spec.trust as sshKey with `for: [engine]`, the second into an allowed-signers file of git.\n',
    );
  }
  return EXIT.ok;
}
