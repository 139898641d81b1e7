// Events of the server for health checks and metrics.
import type { EventEntry } from '../event-entry.ts';

/** Events of the server for health checks and metrics. */
export const observeEvents = {
  'observe server failed': {
    level: 'error',
    meaning: 'The server for health checks and metrics had an error; it goes on.',
    fields: ['why'],
  },
} as const satisfies Record<string, EventEntry>;
