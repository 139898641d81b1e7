// What the hot-plug commands of QEMU's monitor make on the machine of the transcripts.
import type { DeviceSpec } from '../../src/kernel/model/spec.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import { device, e1000, nvme, type Given } from './functions.ts';

/** Buses that `device_add bus=…` can name: the bridge, and the bus number below it. */
const buses: Readonly<Record<string, { readonly bridge: string; readonly bus: string }>> = {
  pb0: { bridge: '0000:00:08.0', bus: '02' },
  rp0: { bridge: '0000:00:07.0', bus: '01' },
  rp1: { bridge: '0000:00:09.0', bus: '03' },
  rp2: { bridge: '0000:00:0a.0', bus: '04' },
  rp7: { bridge: '0000:00:07.0', bus: '01' },
  rp9: { bridge: '0000:00:09.0', bus: '03' },
  rpa: { bridge: '0000:00:0a.0', bus: '04' },
};

/** Devices that `device_add` can name. */
const models: Readonly<Record<string, Given>> = {
  e1000: { ...e1000('eth3', '52:54:00:12:34:59'), resetMethods: ['bus'] },
  e1000e: {
    vendor: '8086',
    device: '10d3',
    classCode: '020000',
    subsystemVendor: '8086',
    subsystemDevice: '0000',
    nativeDriver: 'e1000e',
  },
  nvme: nvme('nvme2', null),
  'pci-testdev': { vendor: '1b36', device: '0005', classCode: '00ff00' },
  edu: { vendor: '1234', device: '11e8', classCode: '00ff00', subsystemVendor: '1af4' },
  rtl8139: { vendor: '10ec', device: '8139', classCode: '020000', revision: '20' },
  'virtio-net-pci': {
    vendor: '1af4',
    device: '1041',
    classCode: '020000',
    revision: '01',
    nativeDriver: 'virtio-pci',
  },
};

/** The function that a `device_add` makes; null: the monitor refuses (unknown model or bus). */
export function hotPlugged(
  model: string,
  place: { readonly bus: string; readonly addr: string },
): DeviceSpec | null {
  const where = buses[place.bus];
  const what = models[model];
  const [slot = '0', fn = '0'] = place.addr.split('.');
  const number = Number.parseInt(slot, 16);
  if (where === undefined || what === undefined || Number.isNaN(number) || number > 31) return null;
  const address = `0000:${where.bus}:${number.toString(16).padStart(2, '0')}.${fn}`;
  return device(address, where.bridge, what);
}

/** What a monitor command comes to. */
export type Told =
  | { readonly kind: 'add'; readonly spec: DeviceSpec }
  | { readonly kind: 'remove'; readonly address: PciAddress }
  | { readonly kind: 'refused' };

/** QEMU's monitor, as far as the scripts use it: device_add MODEL,id=…,bus=…,addr=… and device_del ID. */
export class Monitor {
  readonly #addresses = new Map<string, PciAddress>();

  /** What a command does to the hardware. */
  tell(command: string): Told {
    const [verb, argument = ''] = command.split(' ');
    const address = this.#addresses.get(argument);
    if (verb === 'device_del' && address !== undefined) return { kind: 'remove', address };
    if (verb !== 'device_add') return { kind: 'refused' };
    const [model = '', ...pairs] = argument.split(',');
    const options = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    const place = { bus: options.get('bus') ?? '', addr: options.get('addr') ?? '0' };
    const spec = hotPlugged(model, place);
    if (spec === null) return { kind: 'refused' };
    this.#addresses.set(options.get('id') ?? '', spec.address);
    return { kind: 'add', spec };
  }
}
