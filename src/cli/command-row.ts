import type { Invocation } from './cli.ts';

export interface CommandRow {
  readonly name: string;
  readonly description: string;
  readonly words: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly { readonly flags: string; readonly description: string; readonly isRepeatable?: true }[];
  readonly example: string;
  readonly load: () => Promise<(invocation: Invocation) => Promise<number>>;
}

/** What several commands understand alike. */
export const REPO = { flags: '--repo <path>', description: 'the repository, bare or not (default: the one around the current directory)' };
export const CONFIG = { flags: '--config <file>', description: 'configuration of the service (default: ./capstan.yaml if there is one)' };

export function output(formats: string): { readonly flags: string; readonly description: string } {
  return { flags: '-o, --output <format>', description: `output format: ${formats}` };
}
