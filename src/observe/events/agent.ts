// Events of the node loop: groups, leases and what is done to devices.
import type { EventEntry } from '../event-entry.ts';

/** Events of the node loop: groups, leases and what is done to devices. */
export const agentEvents = {
  'group phase changed': {
    level: 'info',
    meaning: 'A group went from one phase to the next.',
    fields: ['leader', 'group', 'resource', 'from', 'to', 'why'],
  },
  'group ownership mixed': {
    level: 'error',
    meaning: 'A kernel driver holds one member of a group while another is bound to VFIO.',
    fields: ['leader', 'group'],
  },
  'group work failed': {
    level: 'warn',
    meaning: 'A claim or a return did not succeed; it is tried again after the pause.',
    fields: ['leader', 'reason', 'message', 'attempts', 'pauseMs'],
  },
  'lease granted': {
    level: 'info',
    meaning: 'Allocate gave a group to a container.',
    fields: ['leader', 'resource', 'phase', 'group'],
  },
  'lease turned over': {
    level: 'info',
    meaning: 'Allocate gave a group to a new container directly after the last tenant let go.',
    fields: ['leader', 'from'],
  },
  'lease kept': {
    level: 'debug',
    meaning: 'It is not certain that the tenant of a group has gone, so the lease stays.',
    fields: ['leader', 'why'],
  },
  'lease ended': {
    level: 'info',
    meaning: 'The tenant of a group has gone.',
    fields: ['leader', 'pod', 'why'],
  },
  'claim replayed': {
    level: 'info',
    meaning:
      'A container starts with an allocation from before a reboot; its group is claimed again.',
    fields: ['leader', 'resource'],
  },
  'return held off': {
    level: 'warn',
    meaning:
      'Someone is inside a group that was to be returned; nothing is unbound until they have gone.',
    fields: ['leader', 'address'],
  },
  'reset failed': {
    level: 'warn',
    meaning: 'A device could not be reset between two tenants.',
    fields: ['leader', 'message'],
  },
  'step pending': {
    level: 'warn',
    meaning: 'A bind, unbind or reset is still blocked in the kernel after its deadline.',
    fields: ['leader', 'address', 'step'],
  },
  'step settled late': {
    level: 'info',
    meaning: 'A bind, unbind or reset that was blocked in the kernel has ended.',
    fields: ['leader', 'address', 'step', 'outcome', 'tookMs'],
  },
  'record quarantined': {
    level: 'error',
    meaning:
      'A record file cannot be used and lies in quarantine; its group is Faulted until a person decides.',
    fields: ['path', 'leader', 'why'],
  },
  'record write failed': {
    level: 'error',
    meaning: 'A record could not be made durable, so nothing was done to the group.',
    fields: ['leader', 'error'],
  },
  'policy object invalid': {
    level: 'warn',
    meaning:
      'A PassthroughPolicy object of the API server is not valid, so it is not in force here.',
    fields: ['problem'],
  },
  'last known state unusable': {
    level: 'warn',
    meaning: 'The copy of policies, labels and cordons on disk cannot be read or written.',
    fields: ['why'],
  },
  'last known state in force': {
    level: 'info',
    meaning:
      'The agent goes by its copy of policies, labels and cordons until the API server answers.',
    fields: ['policies', 'cordons'],
  },
  'cdi spec left behind': {
    level: 'warn',
    meaning: 'The CDI spec of a group could not be removed.',
    fields: ['leader', 'error'],
  },
} as const satisfies Record<string, EventEntry>;
