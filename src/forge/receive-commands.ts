/** One line of what a push asks for; ids are 40 hex digits, zeros for "none". */
export interface ReceiveCommand {
  readonly before: string;
  readonly after: string;
  readonly ref: string;
}

export interface ReceiveRequest {
  readonly commands: readonly ReceiveCommand[];
  readonly capabilities: ReadonlySet<string>;
}

export type ReceiveParse =
  | { readonly kind: 'complete'; readonly request: ReceiveRequest }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly reason: string };

const COMMAND = /^([0-9a-f]{40}) ([0-9a-f]{40}) (\S+)$/;
export const LARGEST_COMMAND_LIST = 4 * 1024 * 1024;

/** Reads the command list that a push begins with (gitprotocol-pack, "Reference Update Request"). */
export function parseReceiveRequest(bytes: Buffer): ReceiveParse {
  const commands: ReceiveCommand[] = [];
  let capabilities: ReadonlySet<string> = new Set();
  let at = 0;
  while (true) {
    if (bytes.length < at + 4) return { kind: 'incomplete' };
    const digits = bytes.subarray(at, at + 4).toString('latin1');
    if (!/^[0-9a-f]{4}$/i.test(digits)) return { kind: 'invalid', reason: 'not a pkt-line' };
    const length = Number.parseInt(digits, 16);
    if (length === 0) return { kind: 'complete', request: { commands, capabilities } };
    if (length < 4) return { kind: 'invalid', reason: 'not a pkt-line' };
    if (bytes.length < at + length) return { kind: 'incomplete' };
    const line = bytes
      .subarray(at + 4, at + length)
      .toString('utf8')
      .replace(/\n$/, '');
    const [text = '', list] = line.split('\0', 2);
    if (list !== undefined && commands.length === 0) capabilities = new Set(list.split(' ').filter((word) => word !== ''));
    const [, before, after, ref] = COMMAND.exec(text) ?? [];
    if (before !== undefined && after !== undefined && ref !== undefined) commands.push({ before, after, ref });
    else if (!text.startsWith('shallow ')) return { kind: 'invalid', reason: 'not a reference update' };
    at += length;
  }
}

export interface RefusedRef {
  readonly ref: string;
  /** What stock git prints behind `[remote rejected]`. */
  readonly reason: string;
}

/** The report-status answer to a push that changes nothing: `said` reaches the person as `remote: ...` lines. */
export function refusalReport(request: ReceiveRequest, refused: readonly RefusedRef[], said: readonly string[]): Buffer {
  const reasons = new Map(refused.map((item) => [item.ref, item.reason]));
  const report = Buffer.concat([
    packet('unpack ok\n'),
    ...request.commands.map((command) => packet(`ng ${command.ref} ${reasons.get(command.ref) ?? 'another reference was refused'}\n`)),
    Buffer.from('0000'),
  ]);
  if (!request.capabilities.has('side-band-64k')) return report;
  return Buffer.concat([...said.map((line) => band(2, Buffer.from(`${line}\n`))), band(1, report), Buffer.from('0000')]);
}

function packet(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** A side-band packet carries at most 65515 bytes; ours are cut, a report of that size has thousands of references. */
function band(number: 1 | 2, content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_515)
    parts.push(packet(Buffer.concat([Buffer.from([number]), content.subarray(at, at + 65_515)])));
  return Buffer.concat(parts);
}
