// Events that are lost, doubled or late, by the faults that are armed.
import type { Faults } from './faults.ts';
import type { Uevent, UeventFilter } from './objects/uevents.ts';

/** What stands between the sender and the queues of a machine. */
export function ueventFilter(faults: Faults): UeventFilter {
  let held: Uevent | null = null;
  return (event) => {
    if (faults.none && held === null) return [event];
    if (faults.always('uevent-loss') !== null) return [];
    const doubled = faults.always('uevent-duplicate') !== null ? [event, event] : [event];
    if (held !== null) {
      const late = held;
      held = null;
      return [...doubled, late];
    }
    if (faults.always('uevent-reorder') === null) return doubled;
    held = event;
    return [];
  };
}
