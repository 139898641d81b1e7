// The catalogue of log events. A log line's message is one of these names, everything else is in fields;
// a test holds the catalogue and the calls of the logger together. docs/reference/events.md is made from it.
import { agentEvents } from './events/agent.ts';
import { cliEvents } from './events/cli.ts';
import { clusterEvents } from './events/cluster.ts';
import { kernelEvents } from './events/kernel.ts';
import { kubeletEvents } from './events/kubelet.ts';
import { observeEvents } from './events/observe.ts';
import { recordEvents } from './events/record.ts';
import type { EventEntry } from './event-entry.ts';

/** Every event there is. */
export const logEvents = {
  ...cliEvents,
  ...agentEvents,
  ...kubeletEvents,
  ...kernelEvents,
  ...recordEvents,
  ...clusterEvents,
  ...observeEvents,
} as const satisfies Record<string, EventEntry>;
