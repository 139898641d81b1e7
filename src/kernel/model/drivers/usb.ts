// The devices below a USB controller: root hub, devices by port path, interfaces and what they bring.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild } from '../operations/children.ts';
import type { UsbSpec } from '../spec.ts';
import { addDisk } from './disk.ts';

const bus = { subsystem: 'usb', bus: true } as const;

/** Drivers by interface class: HID, mass storage, CDC and wireless, hub. */
const interfaceDrivers: Readonly<Record<string, string>> = {
  '03': 'usbhid',
  '08': 'usb-storage',
  '02': 'cdc_ether',
  e0: 'btusb',
  '09': 'hub',
};

function addInterfaces(machine: Machine, device: ChildDevice, usb: UsbSpec, quiet: boolean): void {
  usb.interfaces.forEach((classes, index) => {
    const driver = interfaceDrivers[classes.slice(0, 2)];
    const parent = addChild(
      machine,
      {
        name: `${usb.name}:1.${index}`,
        ...bus,
        parent: device,
        devtype: 'usb_interface',
        facts: { kind: 'usb-interface', usb, classes },
        ...(driver === undefined ? {} : { driver }),
      },
      quiet,
    );
    if (index === 0) addBrought(machine, parent, usb, quiet);
  });
}

/** What the first interface brings. */
function addBrought(machine: Machine, parent: ChildDevice, usb: UsbSpec, quiet: boolean): void {
  for (const block of usb.block) addDisk(machine, parent, block, { quiet });
  for (const net of usb.net) {
    const ifindex = machine.ids('ifindex').take() + 2;
    addChild(
      machine,
      { name: net.name, subsystem: 'net', parent, facts: { kind: 'net', net, ifindex } },
      quiet,
    );
  }
  for (const name of usb.serial) {
    addChild(
      machine,
      { name, subsystem: 'tty', parent, devname: name, facts: { kind: 'serial', console: false } },
      quiet,
    );
  }
  for (const name of usb.input) {
    addChild(
      machine,
      { name, subsystem: 'input', parent, devname: `input/${name.replace('input', 'event')}` },
      quiet,
    );
  }
}

/** Makes the root hubs and devices. */
export function addUsb(
  machine: Machine,
  parent: PciDevice | ChildDevice,
  devices: readonly UsbSpec[],
  quiet: boolean,
): void {
  const made = new Map<string, ChildDevice>();
  const sorted = [...devices].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const usb of sorted) {
    const hubName = `usb${usb.name.split('-')[0]}`;
    const hub =
      made.get(hubName) ??
      addChild(
        machine,
        { name: hubName, ...bus, parent, devtype: 'usb_device', driver: 'usb' },
        quiet,
      );
    made.set(hubName, hub);
    const above = made.get(usb.name.replace(/\.\d+$/, ''));
    const device = addChild(
      machine,
      {
        name: usb.name,
        ...bus,
        parent: above ?? hub,
        devtype: 'usb_device',
        driver: 'usb',
        attributes: { product: usb.product },
        facts: { kind: 'usb', usb },
      },
      quiet,
    );
    made.set(usb.name, device);
    addInterfaces(machine, device, usb, quiet);
  }
}
