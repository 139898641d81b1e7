// USB devices below a controller for an export: what they are and what they bring, without serial numbers.
import type { BlockSpec, NetSpec, UsbSpec } from '../../kernel/model/spec-children.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { ExportReader, Placed } from './reader.ts';

/** Something that hangs below a USB device, by its place. */
export interface Brought {
  readonly nets: readonly { readonly at: Placed; readonly net: NetSpec }[];
  readonly disks: readonly { readonly place: string; readonly disk: BlockSpec }[];
  readonly ttys: readonly Placed[];
  readonly inputs: readonly Placed[];
}

const deviceName = /^\d+-\d+(\.\d+)*$/;

/** The USB device nearest above a place; null: none. */
export function usbOf(place: string): string | null {
  return place.split('/').findLast((part) => deviceName.test(part)) ?? null;
}

/** USB devices by the function of their controller; root hubs are made by the controller itself. */
export async function readUsb(
  reader: ExportReader,
  brought: Brought,
): Promise<ReadonlyMap<PciAddress, readonly UsbSpec[]>> {
  const all = await reader.placed('/sys/bus/usb/devices');
  const found = new Map<PciAddress, UsbSpec[]>();
  for (const device of all) {
    if (device.owner === null || !deviceName.test(device.name)) continue;
    const there = found.get(device.owner) ?? [];
    there.push(await deviceSpec(reader, device, all, brought));
    found.set(device.owner, there);
  }
  return found;
}

async function deviceSpec(
  reader: ExportReader,
  device: Placed,
  all: readonly Placed[],
  brought: Brought,
): Promise<UsbSpec> {
  const mine = (place: string): boolean => usbOf(place) === device.name;
  const interfaces: string[] = [];
  for (const each of all) {
    if (!each.name.startsWith(`${device.name}:`)) continue;
    const part = async (name: string): Promise<string> =>
      (await reader.text(`${each.path}/${name}`)) ?? '00';
    interfaces.push(
      [
        await part('bInterfaceClass'),
        await part('bInterfaceSubClass'),
        await part('bInterfaceProtocol'),
      ].join('/'),
    );
  }
  return {
    name: device.name,
    product: ((await reader.text(`${device.path}/product`)) ?? 'USB device').slice(0, 120),
    interfaces,
    block: brought.disks.filter(({ place }) => mine(place)).map(({ disk }) => disk),
    net: brought.nets.filter(({ at }) => mine(at.place)).map(({ net }) => net),
    serial: brought.ttys.filter(({ place }) => mine(place)).map(({ name }) => name),
    input: brought.inputs.filter(({ place }) => mine(place)).map(({ name }) => name),
  };
}
