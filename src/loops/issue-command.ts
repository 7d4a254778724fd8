import type { AgentCommand } from '#model/command.ts';
import { COMMAND_TYPE, commandKeyId, commandMessage, encodeCommand, encodeEnvelope, parseCommand } from '#model/command.ts';
import { PortError } from '#ports/port-error.ts';
import type { World } from './world.ts';

/** A command but for what the engine adds: when, and once. */
export type CommandDraft = Omit<AgentCommand, 'nonce' | 'iat'>;

/**
 * Signs a command as a DSSE envelope under the engine's key. Sending the same bytes again does nothing twice; issuing it again is another
 * command, so what must be done once is kept as its envelope until it is answered or over.
 */
export async function issueCommand(world: Pick<World, 'signer' | 'clock' | 'ids'>, draft: CommandDraft): Promise<Uint8Array> {
  const command: AgentCommand = { ...draft, nonce: world.ids.traceId(), iat: Math.floor(world.clock.now() / 1000) };
  const payload = encodeCommand(command);
  const read = parseCommand(payload);
  if (!read.ok) throw new PortError('invalid', `a command that no agent would read is not signed: ${read.reason}`);
  const key = await world.signer.plainKey();
  const unsigned = { payloadType: COMMAND_TYPE, payload };
  const signature = await key.sign(commandMessage(unsigned));
  return encodeEnvelope({ ...unsigned, keyId: commandKeyId(key.publicKeyPem), signature });
}
