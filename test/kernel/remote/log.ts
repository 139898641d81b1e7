// A logger that keeps what it is told.
import type { Log } from '../../../src/base/log.ts';

export interface Logged {
  readonly event: string;
  readonly fields: Record<string, unknown>;
}

export function logOf(): { readonly log: Log; readonly logged: Logged[] } {
  const logged: Logged[] = [];
  const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    logged.push({ event, fields: { ...fields } });
  };
  return { log: { debug: keep, info: keep, warn: keep, error: keep }, logged };
}
