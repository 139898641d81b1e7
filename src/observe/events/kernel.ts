// Events of the way to the kernel.
import type { EventEntry } from '../event-entry.ts';

/** Events of the way to the kernel. */
export const kernelEvents = {
  'step-failed': {
    level: 'debug',
    meaning: 'One write to sysfs failed, or its read-back shows something else.',
    fields: ['step', 'address', 'errno'],
  },
  'kernel-call-pending': {
    level: 'warn',
    meaning:
      'A call is still blocked in the kernel after its deadline; it goes on in a process of its own.',
    fields: ['call', 'path'],
  },
  'kernel-call-late-answer': {
    level: 'info',
    meaning: 'A call that was blocked in the kernel has ended.',
    fields: ['call', 'path', 'settled'],
  },
  'kernel-lane-lost': {
    level: 'error',
    meaning:
      'A child process for kernel calls died in the middle of a call, which counts as failed.',
    fields: ['pid', 'why', 'call', 'path'],
  },
  'kernel-hints-listening': {
    level: 'info',
    meaning: 'The udevadm monitor listens: a change is looked at as soon as the kernel tells it.',
    fields: [],
  },
  'kernel-hints-without-udevadm': {
    level: 'info',
    meaning: 'There is no udevadm monitor: changes are noticed by inotify and by polling.',
    fields: ['why'],
  },
  'kernel-hints-interrupted': {
    level: 'warn',
    meaning:
      'The udevadm monitor ended; it is started again, and everything is looked at meanwhile.',
    fields: ['why', 'retryMs'],
  },
  'sim-listening': {
    level: 'info',
    meaning: 'A simulated machine is served on a socket.',
    fields: ['socket', 'machine'],
  },
  'sim-operation': {
    level: 'info',
    meaning:
      'Somebody performed an operation on the simulated machine through its control service.',
    fields: ['operation', 'arguments', 'answer'],
  },
  'sim-nodes-are-files': {
    level: 'warn',
    meaning:
      'Device nodes cannot be made here: plain files stand in for those of the simulated machine.',
    fields: ['root', 'why'],
  },
  'sim-node-refused': {
    level: 'warn',
    meaning:
      'The stand-in of a device node could not be made; what is at its place was left alone.',
    fields: ['path', 'why'],
  },
} as const satisfies Record<string, EventEntry>;
