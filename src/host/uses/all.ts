// Every search for a use, in the order in which people read them.
import type { HostUse } from '../../ownership/use.ts';
import { comparePciAddresses } from '../../pci/address.ts';
import { findingsOf } from '../concurrently.ts';
import type { FindUses, UseContext } from '../survey/context.ts';
import { computeUses } from './compute.ts';
import { consoleUses } from './console.ts';
import { displayUses } from './display.ts';
import { engineUses } from './engines.ts';
import { loopUses } from './loop.ts';
import { mountedUses } from './mounted.ts';
import { networkUses } from './network.ts';
import { nvmeSharedUses } from './nvme-shared.ts';
import { platformUses } from './platform.ts';
import { rawOpenUses } from './raw-open.ts';
import { rdmaUses } from './rdma.ts';
import { soundUses } from './sound.ts';
import { stackedUses } from './stacked.ts';
import { storageTargetUses } from './storage-target.ts';
import { swapUses } from './swap.ts';
import { unseenUses } from './unseen.ts';
import { usbUses } from './usb.ts';
import { virtualUses } from './virtual.ts';
import { zfsUses } from './zfs.ts';

const searches: readonly FindUses[] = [
  ...[
    mountedUses,
    swapUses,
    stackedUses,
    zfsUses,
    loopUses,
    rawOpenUses,
    nvmeSharedUses,
    storageTargetUses,
  ],
  ...[networkUses, rdmaUses, displayUses, computeUses, soundUses, usbUses, consoleUses],
  ...[platformUses, engineUses, virtualUses, unseenUses],
];

/** Every use of every function in question: by address, then in the order of the searches; the same one only once. */
export async function findAllUses(context: UseContext): Promise<readonly HostUse[]> {
  const found = new Map<string, HostUse>();
  for (const use of await findingsOf(searches, (search) => search(context))) {
    const key = [use.address, use.kind, use.subject, use.evidence.path].join('\n');
    if (!found.has(key)) found.set(key, use);
  }
  return [...found.values()].sort((a, b) => comparePciAddresses(a.address, b.address));
}
