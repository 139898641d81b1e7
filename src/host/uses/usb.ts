// What hangs on a USB controller and would vanish with it: keyboards and mice (a BMC's virtual ones too), disks,
// network and serial adapters. Hubs, cameras and the like are no use by themselves; an empty bus is safe.
import { known, type Known } from '../../base/known.ts';
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import { findingsOf } from '../concurrently.ts';
import { isAbsent, orAbsent } from '../reading.ts';
import { type LinkedDevice, type UseContext, unknownUses, usesOf } from '../survey/context.ts';

/** UsbInput, UsbStorage, UsbNetwork, UsbSerial. */
export async function usbUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked('/sys/bus/usb/devices');
  const found = unknownUses(context.targets, 'USB devices', problems);
  // Interfaces are named BUS-PORT:CONFIGURATION.INTERFACE.
  const interfaces = devices.filter(
    (device) => device.targets.length > 0 && device.name.includes(':'),
  );
  return [...found, ...(await findingsOf(interfaces, (each) => interfaceUses(context, each)))];
}

async function interfaceUses(
  context: UseContext,
  device: LinkedDevice,
): Promise<readonly HostUse[]> {
  const kind = await kindOf(context, device);
  if (!kind.known) return unknownUses(device.targets, `USB ${device.name}`, [kind]);
  if (kind.value === null) return [];
  const { kind: use, path, says } = kind.value;
  return usesOf(use, device.targets, await nameOf(context, device), { path, says });
}

interface Judged {
  readonly kind: HostUseKind;
  readonly path: string;
  readonly says: string;
}

/** What an interface is for, by its class, or by what its driver made of it where the class says nothing. */
async function kindOf(context: UseContext, device: LinkedDevice): Promise<Known<Judged | null>> {
  const path = `${device.path}/bInterfaceClass`;
  const read = async (name: string): Promise<Known<string>> => {
    const text = orAbsent(await context.text(`${device.path}/${name}`), '');
    return text.known ? known(text.value.trim()) : text;
  };
  const base = await read('bInterfaceClass');
  if (!base.known) return base;
  const subclass = await read('bInterfaceSubClass');
  if (!subclass.known) return subclass;
  const protocol = await read('bInterfaceProtocol');
  if (!protocol.known) return protocol;
  const entries = await context.names(device.path);
  if (!entries.known) return isAbsent(entries) ? known(null) : entries;
  const kind = judge(base.value, subclass.value, protocol.value, entries.value);
  return known(
    kind === null
      ? null
      : { kind, path, says: `${base.value}/${subclass.value}/${protocol.value}` },
  );
}

function judge(
  base: string,
  subclass: string,
  protocol: string,
  entries: readonly string[],
): HostUseKind | null {
  if (entries.includes('net')) return 'UsbNetwork';
  if (entries.some((name) => name === 'tty' || /^tty(?:USB|ACM)\d+$/.test(name)))
    return 'UsbSerial';
  switch (base) {
    case '03':
      // Boot protocol 1 is a keyboard, 2 a mouse (USB HID 1.11 §4.3).
      return protocol === '01' || protocol === '02' ? 'UsbInput' : null;
    case '08':
      return 'UsbStorage';
    case '02':
      // Abstract control model is a modem or serial port, the others are network (USB CDC 1.2 §4.3).
      return subclass === '02' ? 'UsbSerial' : 'UsbNetwork';
    case 'e0':
      return 'UsbNetwork';
    default:
      return null;
  }
}

/** Product name where the device has one: `Dell KB216 (1-2:1.0)`. */
async function nameOf(context: UseContext, device: LinkedDevice): Promise<string> {
  const parent = device.name.slice(0, device.name.indexOf(':'));
  const product = await context.text(`/sys/bus/usb/devices/${parent}/product`);
  return product.known ? `${product.value.trim()} (${device.name})` : `USB ${device.name}`;
}
