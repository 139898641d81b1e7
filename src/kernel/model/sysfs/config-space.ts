// The `config` file: the standard header made from what is known of the function, all ones when it is gone.
// A VF's vendor and device read as all ones too, although it lives (PCI SR-IOV, 3.4.1).
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { isConventional, isGone } from '../operations/device-facts.ts';

const conventionalBytes = 256;
const expressBytes = 4096;

/** Bytes of the configuration space. */
export function configSpace(machine: Machine, device: PciDevice): Uint8Array {
  const { spec } = device;
  const bytes = new Uint8Array(isConventional(device) ? conventionalBytes : expressBytes);
  if (isGone(machine, device) || device.powerState === 'D3cold') return bytes.fill(0xff);
  const word = (at: number, hex: string): void => {
    const number = Number.parseInt(hex, 16);
    bytes[at] = number & 0xff;
    bytes[at + 1] = number >> 8;
  };
  word(0x00, device.physfn === null ? spec.vendor : 'ffff');
  word(0x02, device.physfn === null ? spec.device : 'ffff');
  // Memory and bus mastering are on while a driver has enabled the function.
  bytes[0x04] = device.enableCount > 0 ? 0x07 : 0x03;
  bytes[0x06] = 0x10;
  bytes[0x08] = Number.parseInt(spec.revision, 16);
  for (let i = 0; i < 3; i++) {
    bytes[0x0b - i] = Number.parseInt(spec.classCode.slice(i * 2, i * 2 + 2), 16);
  }
  const header = { endpoint: 0, bridge: 1, cardbus: 2 }[spec.header];
  bytes[0x0e] = header | ((spec.headerMultifunction ?? spec.multifunction) ? 0x80 : 0);
  if (spec.header === 'endpoint') {
    word(0x2c, spec.subsystemVendor);
    word(0x2e, spec.subsystemDevice);
  }
  return bytes;
}
