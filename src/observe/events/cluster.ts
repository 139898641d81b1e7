// Events of the way to the Kubernetes API.
import type { EventEntry } from '../event-entry.ts';

/** Events of the way to the Kubernetes API. */
export const clusterEvents = {
  'cluster-credentials-unreadable': {
    level: 'warn',
    meaning:
      'The mounted token or certificate authority cannot be read now; what was read before is used until the server refuses it.',
    fields: ['folder', 'why'],
  },
  'cluster-watch-interrupted': {
    level: 'warn',
    meaning:
      'A resource cannot be listed or watched; what was known of it stays, and it is tried again until it works.',
    fields: ['resource', 'why', 'relist'],
  },
  'cluster-watch-still-interrupted': {
    level: 'debug',
    meaning: 'Another try to list or watch a resource failed.',
    fields: ['resource', 'why', 'relist'],
  },
  'cluster-watch-restored': {
    level: 'info',
    meaning: 'A resource is watched again after an interruption.',
    fields: ['resource'],
  },
  'cluster-handler-threw': {
    level: 'error',
    meaning: 'A bug: a change of an object was not taken over. The watch and other handlers go on.',
    fields: ['resource', 'object', 'change', 'thrown'],
  },
  'cluster-object-unusable': {
    level: 'error',
    meaning: 'A bug: an object could not be read, and counts as not there.',
    fields: ['resource', 'object', 'why'],
  },
  'cluster-work-threw': {
    level: 'error',
    meaning: 'A bug: work for one object failed by itself; it is tried again later.',
    fields: ['queue', 'key', 'thrown'],
  },
  'cluster-work-failed': {
    level: 'debug',
    meaning: 'Work for one object failed; it is tried again later.',
    fields: ['queue', 'key', 'why', 'failures', 'afterMs'],
  },
  'cluster-write-failed': {
    level: 'warn',
    meaning: 'An object could not be written to the API server; it is tried again later.',
    fields: ['resource', 'object', 'why'],
  },
  'cluster-event-dropped': {
    level: 'debug',
    meaning: 'A Kubernetes Event was not sent: too many, or the server refused it.',
    fields: ['reason', 'regarding', 'why'],
  },
  'cluster-leading': {
    level: 'info',
    meaning: 'This process is the leader now.',
    fields: ['lease', 'identity'],
  },
  'cluster-leadership-lost': {
    level: 'error',
    meaning:
      'The lease could not be renewed in time, or somebody else has it: this process stops leading.',
    fields: ['lease', 'holder'],
  },
  'cluster-leader-threw': {
    level: 'error',
    meaning: "A bug: the leader's work ended with an error.",
    fields: ['lease', 'thrown'],
  },
  'cluster-lease-not-written': {
    level: 'debug',
    meaning: 'The lease could not be taken or renewed; it is tried again.',
    fields: ['lease', 'why'],
  },
  'cluster-lease-given-back': {
    level: 'info',
    meaning: 'The lease was given back at the end, so that the next leader need not wait.',
    fields: ['lease'],
  },
} as const satisfies Record<string, EventEntry>;
