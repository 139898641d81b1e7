// Events of the agent as a process.
import type { EventEntry } from '../event-entry.ts';

/** Events of the agent as a process. */
export const cliEvents = {
  'agent started': {
    level: 'info',
    meaning: 'The agent has read its records and policies, and serves.',
    fields: ['node', 'kernel', 'groups'],
  },
  'controller started': {
    level: 'info',
    meaning: 'The controller watches; it writes as soon as it leads.',
    fields: ['identity', 'namespace'],
  },
  'controller stopping': {
    level: 'info',
    meaning: 'The controller gives its Lease back and stops: a signal, or the Lease was lost.',
    fields: ['signal'],
  },
  'agent stopping': {
    level: 'info',
    meaning: 'The agent ends its streams and stops; claimed groups stay as they are.',
    fields: ['signal'],
  },
} as const satisfies Record<string, EventEntry>;
