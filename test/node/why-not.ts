// Why no node can run in a guest on this machine.
import { existsSync } from 'node:fs';
import { whyNoEnclosure } from '../cluster/harness/enclosure.ts';

/** The reason; null when one can. */
export function whyNoNode(): string | null {
  const why = whyNoEnclosure();
  if (why !== null) return why;
  if (existsSync('/dev/net/tun')) return null;
  return 'the network of a guest is a tap device: /dev/net/tun is missing (modprobe tun)';
}
