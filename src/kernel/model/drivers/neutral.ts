// Drivers for userspace: vfio-pci and its variants, pci-stub, uio_pci_generic.
import type { Personality } from '../objects/driver.ts';
import { addChild, removeChild } from '../operations/children.ts';
import { registerVfio, unregisterVfio } from '../operations/vfio-register.ts';
import { anyId } from '../operations/match.ts';
import { endpointDriver } from './base.ts';

const base = {
  managedDma: true,
  removeMs: 0,
  leavesSriov: true,
  sriovConfigure: false,
  prefersAsync: false,
  hasTable: true,
} as const;

/** vfio-pci and the variant drivers: bind only by override or dynamic id. */
export const vfioDriver: Personality = {
  ...base,
  vfio: true,
  // The callback is there and refuses, unless enable_sriov is set.
  sriovConfigure: true,
  probeMs: 10,
  ids: [
    {
      vendor: anyId,
      device: anyId,
      subvendor: anyId,
      subdevice: anyId,
      class: 0,
      classMask: 0,
      overrideOnly: true,
    },
  ],
  probe: registerVfio,
  remove: unregisterVfio,
};

/** pci-stub: takes anything and does nothing with it. */
export const stubDriver: Personality = {
  ...base,
  vfio: false,
  probeMs: 0,
  removeMs: 0,
  hasTable: false,
  ids: [],
  probe: () => null,
  remove: () => Promise.resolve(),
};

/** uio_pci_generic: not managed, so it counts as a kernel driver. */
export const uioDriver: Personality = endpointDriver({
  probeMs: 5,
  removeMs: 5,
  leavesSriov: true,
  hasTable: false,
  knows: () => true,
  start: ({ machine, device }) => {
    const name = `uio${machine.ids('uio').take()}`;
    addChild(machine, { name, subsystem: 'uio', parent: device, devname: name }, machine.booting);
    return null;
  },
  stop: ({ machine, device }) => {
    for (const child of [...device.children]) {
      if (child.subsystem !== 'uio') continue;
      machine.ids('uio').give(Number(child.name.slice('uio'.length)));
      removeChild(machine, child);
    }
  },
});
