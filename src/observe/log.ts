// The logger: one JSON line for each event, or one readable line for a person at a terminal. Written
// without blocking: when nobody takes the lines, they are dropped rather than the agent stopped.
import {
  type DestinationStream,
  destination,
  type LoggerOptions,
  pino,
  stdSerializers,
} from 'pino';
import type { Log } from '../base/log.ts';
import { prettyLines } from './pretty.ts';

/** Levels that can be asked for; `silent` writes nothing. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One of the levels. */
export type LogLevel = (typeof logLevels)[number];

/** What a logger is made from. */
export interface LogOptions {
  /** Lines below it are not written. */
  readonly level: LogLevel;
  /** 1 or 2 for stdout or stderr, or anything that takes lines. */
  readonly destination: 1 | 2 | DestinationStream;
  /** Lines for people instead of JSON; `colour` only where a terminal shows it. */
  readonly pretty?: { readonly colour: boolean };
}

/** Bytes that may wait for a reader that does not read; later lines are dropped. */
const waitingBytesMax = 4 * 1024 * 1024;

/** A logger. Lines that wait are written out when the process exits by itself. */
export function createLog(options: LogOptions): Log {
  const lines =
    typeof options.destination === 'number'
      ? destination({ dest: options.destination, sync: false, maxLength: waitingBytesMax })
      : options.destination;
  const stream = options.pretty === undefined ? lines : prettyLines(lines, options.pretty.colour);
  const settings: LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { thrown: stdSerializers.err },
  };
  const logger = pino(settings, stream);
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  };
}
