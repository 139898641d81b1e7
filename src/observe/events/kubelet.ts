// Events of the device plugin.
import type { EventEntry } from '../event-entry.ts';

/** Events of the device plugin. */
export const kubeletEvents = {
  'kubelet-registered': {
    level: 'info',
    meaning: 'A resource was registered with the kubelet.',
    fields: ['resource', 'socket'],
  },
  'kubelet-register-failed': {
    level: 'warn',
    meaning:
      'The kubelet could not be asked to register a resource, or refused; it is tried again.',
    fields: ['resource', 'why'],
  },
  'kubelet-serve-failed': {
    level: 'warn',
    meaning: 'The socket of a resource could not be served; it is tried again.',
    fields: ['resource', 'why'],
  },
  'kubelet-reopening': {
    level: 'info',
    meaning:
      'The socket of a resource is served anew, because the kubelet or the socket has changed.',
    fields: ['resource', 'reason'],
  },
  'kubelet-resource-retiring': {
    level: 'info',
    meaning:
      'No policy offers a resource any more; it is offered as empty for a while and then closed.',
    fields: ['resource', 'closesInMs'],
  },
  'kubelet-stale-sockets-removed': {
    level: 'info',
    meaning: 'Sockets that an earlier agent left in the plugin folder were removed.',
    fields: ['folder', 'removed'],
  },
  'kubelet-handler-threw': {
    level: 'error',
    meaning: 'A bug: answering a request of the kubelet failed. The request was refused.',
    fields: ['rpc', 'problem', 'thrown'],
  },
  'kubelet-offers-threw': {
    level: 'error',
    meaning: 'A bug: working out the list for the kubelet failed. An empty list was sent.',
    fields: ['resource', 'thrown'],
  },
} as const satisfies Record<string, EventEntry>;
