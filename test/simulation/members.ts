// Which devices of the model count as endpoints.
import type { PciDevice } from '../../src/kernel/model/objects/pci-device.ts';

/** All but the bridges. */
export function endpointsOf(devices: readonly PciDevice[]): readonly PciDevice[] {
  return devices.filter((device) => device.spec.header === 'endpoint');
}
