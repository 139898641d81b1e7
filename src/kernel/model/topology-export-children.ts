// What hangs below a device as plain data for a topology file, without what equals its default.
import type { BlockSpec, ChildrenSpec, NetSpec } from './spec.ts';

/** Data as YAML and JSON have it. */
export type Plain = Record<string, unknown>;

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Without the fields that are absent, null or empty. */
export function compact(fields: Plain): Plain {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

/** One interface. */
export function exportNet(net: NetSpec): Plain {
  return compact({
    name: net.name,
    mac: net.mac,
    up: net.up || undefined,
    carrier: net.carrier === net.up ? undefined : net.carrier,
    addresses: net.addresses,
    master: net.master,
    uppers: net.uppers,
    namespace: net.namespace,
  });
}

function exportBlock(block: BlockSpec): Plain {
  return compact({
    name: block.name,
    sectors: block.sectors,
    devno: block.devno,
    contents: block.contents,
    holders: block.holders,
    partitions: block.partitions.map(exportBlock),
  });
}

/** All children. */
export function exportChildren(children: ChildrenSpec): Plain {
  const { sound } = children;
  return compact({
    ...children,
    net: children.net.map(exportNet),
    block: children.block.map(exportBlock),
    sound: sound === null ? null : compact({ ...sound }),
    usb: children.usb.map((usb) =>
      compact({ ...usb, block: usb.block.map(exportBlock), net: usb.net.map(exportNet) }),
    ),
    serial: children.serial.map(({ name, console }) =>
      compact({ name, console: console || undefined }),
    ),
    watchdog: children.watchdog === null ? null : { ...children.watchdog },
    dma: children.dma.map(({ name, inUse }) => compact({ name, inUse: inUse || undefined })),
  });
}
