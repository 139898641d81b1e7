// Events of the durable records and of the policy files.
import type { EventEntry } from '../event-entry.ts';

/** Events of the durable records and of the policy files. */
export const recordEvents = {
  'records loaded': {
    level: 'info',
    meaning: 'The group records were read at the start.',
    fields: ['dir', 'records', 'quarantined'],
  },
  'unfinished record dropped': {
    level: 'info',
    meaning:
      'A record that was being written when the agent was killed was removed; it was never in force.',
    fields: ['path'],
  },
  'policies loaded': {
    level: 'info',
    meaning: 'The policy files were read, at the start or after a change.',
    fields: ['path', 'policies', 'problems'],
  },
  'policy problem': {
    level: 'warn',
    meaning: 'Something is wrong with a policy file; what it said before stays in force.',
    fields: ['at', 'message'],
  },
  'policy look failed': {
    level: 'error',
    meaning: 'A look at the policy files failed unexpectedly; the next one follows.',
    fields: ['path', 'why'],
  },
  'policy watch unavailable': {
    level: 'warn',
    meaning: 'Changes of the policy files are not notified; they are found by polling only.',
    fields: ['path', 'why', 'pollMs'],
  },
} as const satisfies Record<string, EventEntry>;
