/** What the server's answers say of its clock. */
export interface ServerClock {
  note(date: string | string[] | undefined): void;
  /** Milliseconds that this machine is ahead of the server (negative: behind); undefined while the server has not said. */
  ahead(): number | undefined;
}

export function serverClock(now: () => number): ServerClock {
  let said: string | undefined;
  let at = 0;
  return {
    note(date) {
      // Its text is kept and read only when somebody asks: this runs for every answer.
      if (typeof date !== 'string' || date === said) return;
      said = date;
      at = now();
    },
    ahead() {
      const server = said === undefined ? Number.NaN : Date.parse(said);
      return Number.isNaN(server) ? undefined : at - server;
    },
  };
}

/** Less may be the time that an answer took. */
const NOTEWORTHY_MS = 60_000;

/** A sentence about clocks that differ, or nothing. */
export function skewWords(ahead: number | undefined): string {
  if (ahead === undefined || Math.abs(ahead) < NOTEWORTHY_MS) return '';
  const seconds = Math.round(Math.abs(ahead) / 1000);
  const far = seconds < 7200 ? `${seconds} s` : `${Math.round(seconds / 3600)} h`;
  return ` The clock of this machine is ${far} ${ahead > 0 ? 'ahead of' : 'behind'} the server's: set the wrong one first.`;
}
