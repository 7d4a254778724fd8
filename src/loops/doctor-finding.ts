export interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to type or change; undefined when nothing is wrong. */
  readonly remedy: string | undefined;
}
