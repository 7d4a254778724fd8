/** What a command sees of the outside: data goes to `out`, talk to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The caller's directory (`INIT_CWD` under npm). */
  readonly cwd: string;
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
}
