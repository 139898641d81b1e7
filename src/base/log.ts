// The shape of a logger, without an implementation (observe/ has it) and without I/O.

/** Values that a log line or an Event may carry. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Constant lower-case event names, data in fields; every name is in observe's catalogue of events. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A logger that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
