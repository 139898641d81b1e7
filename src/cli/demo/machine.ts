// The demo's machine: what a real Linux guest showed of itself, with the card of the GPU workstation plugged
// into a root port of its own.
import type { DeviceSpec, MachineSpec } from '../../kernel/model/spec.ts';
import { bundledTopology } from '../../kernel/model/topology-bundled.ts';
import { isPciAddress, type PciAddress } from '../../pci/address.ts';

/** Where the card goes, and where it is in its own machine. */
const port = '0000:00:13.0';
const cardBus = '0000:65:00';
const cardBefore = '0000:01:00';
const portBefore = '0000:00:01.1';

function moved(device: DeviceSpec): DeviceSpec | null {
  if (device.address === portBefore && isPciAddress(port)) {
    return { ...device, address: port, group: null, parent: null, multifunction: false };
  }
  if (!device.address.startsWith(cardBefore)) return null;
  const address = device.address.replace(cardBefore, cardBus);
  return isPciAddress(address) && isPciAddress(port)
    ? { ...device, address, parent: port, group: null }
    : null;
}

/** Functions that the story plays with. */
export const cast = {
  gpu: `${cardBus}.0` as PciAddress,
  gpuAudio: `${cardBus}.1` as PciAddress,
  /** The first that is allocated: fewest members, lowest address. */
  disk: '0000:08:00.0' as PciAddress,
  nic: '0000:03:00.0' as PciAddress,
} as const;

/** The machine of the demo. */
export function demoMachine(): MachineSpec {
  const guest = bundledTopology('guest');
  const workstation = bundledTopology('gpu-workstation');
  const card = workstation.devices.map(moved).filter((device) => device !== null);
  // The guest was dumped before anybody loaded VFIO; the demo's node has it, as a node for passthrough does.
  const known = guest.drivers.filter((driver) => driver.name !== 'vfio-pci');
  const more = workstation.drivers.filter(
    (driver) => !known.some(({ name }) => name === driver.name),
  );
  return {
    ...guest,
    name: 'demo',
    description:
      'a guest with a real Linux, and an RTX 4090 with its audio, USB-C and UCSI functions',
    devices: [...guest.devices, ...card],
    drivers: [...known, ...more],
  };
}
