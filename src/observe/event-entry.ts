// The shape of an entry in the catalogue of log events.

/** Levels of log lines: error = a person is needed, warn = something did not go as it should, info = a transition. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/** What one event means. */
export interface EventEntry {
  readonly level: EventLevel;
  /** One sentence: what has happened when this line appears. */
  readonly meaning: string;
  /** Fields that the line carries, in the order of the documentation. */
  readonly fields: readonly string[];
}
