// Network interfaces of a machine for its export: those of functions, and the virtual ones that stand on them, with
// masked addresses. Interfaces of pods (veth and the like) are left out.
import type { NetSpec, VirtualNetSpec } from '../../kernel/model/spec-children.ts';
import type { MachineSpec } from '../../kernel/model/spec.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { PciFunction } from '../../pci/function.ts';
import { MacMask, maskTexts } from './mask.ts';
import {
  type AddressLine,
  addressesOfV4,
  addressesOfV6,
  type RouteLine,
  routesOfV4,
  routesOfV6,
  withoutConnected,
} from './network-texts.ts';
import type { ExportReader, Placed } from './reader.ts';

/** Interfaces by what they hang on, and the routes over them. */
export interface ExportedNets {
  /** Of a function; below USB devices as well. */
  readonly physical: readonly { readonly at: Placed; readonly net: NetSpec }[];
  /** Functions whose interface is in another network namespace. */
  readonly moved: ReadonlyMap<PciAddress, NetSpec>;
  readonly virtual: readonly VirtualNetSpec[];
  readonly routes: MachineSpec['routes'];
}

interface Raw {
  readonly at: Placed;
  readonly mac: string;
  readonly up: boolean;
  readonly carrier: boolean;
  readonly master: string | null;
  readonly uppers: readonly string[];
}

async function readRaw(reader: ExportReader, at: Placed): Promise<Raw> {
  const flags = (await reader.text(`${at.path}/flags`)) ?? '0x0';
  const entries = await reader.names(at.path);
  const uppers = entries.filter((name) => name.startsWith('upper_')).map((name) => name.slice(6));
  const master = entries.includes('master') ? await reader.link(`${at.path}/master`) : null;
  return {
    at,
    mac: (await reader.text(`${at.path}/address`)) ?? '',
    up: (Number.parseInt(flags, 16) & 1) !== 0,
    carrier: (await reader.text(`${at.path}/carrier`)) === '1',
    master,
    uppers: uppers.filter((upper) => upper !== master),
  };
}

/** The virtual interfaces that stand on physical ones, through all layers. */
function standing(physical: readonly Raw[], virtual: ReadonlyMap<string, Raw>): readonly Raw[] {
  const found = new Map<string, Raw>();
  const open = [...physical];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of [...next.uppers, ...(next.master === null ? [] : [next.master])]) {
      const upper = virtual.get(name);
      if (upper === undefined || found.has(name)) continue;
      found.set(name, upper);
      open.push(upper);
    }
  }
  return [...found.values()].sort((a, b) => (a.at.name < b.at.name ? -1 : 1));
}

/** DEVTYPE of the uevent; a bond, bridge or team has a folder as well. */
async function typeOf(reader: ExportReader, raw: Raw): Promise<string> {
  const uevent = (await reader.text(`${raw.at.path}/uevent`)) ?? '';
  const told = /^DEVTYPE=(\S+)$/m.exec(uevent)?.[1];
  if (told !== undefined) return told;
  const entries = await reader.names(raw.at.path);
  return (
    ['bonding', 'bridge'].find((name) => entries.includes(name))?.replace('bonding', 'bond') ??
    'dummy'
  );
}

interface Tables {
  readonly addresses: readonly AddressLine[];
  readonly routes: readonly RouteLine[];
}

async function readTables(reader: ExportReader): Promise<Tables> {
  const text = async (name: string): Promise<string> => {
    const fact = await reader.survey.text(`/proc/1/net/${name}`);
    if (!fact.known && fact.why !== 'ENOENT') reader.note([fact]);
    return fact.known ? fact.value : '';
  };
  const routes4 = routesOfV4(await text('route'));
  const addresses = [
    ...addressesOfV4(await text('fib_trie'), routes4),
    ...addressesOfV6(await text('if_inet6')),
  ];
  return { addresses, routes: [...routes4, ...routesOfV6(await text('ipv6_route'))] };
}

/** Reads all interfaces. */
export async function readNets(
  reader: ExportReader,
  functions: readonly PciFunction[],
): Promise<ExportedNets> {
  const all: Raw[] = [];
  for (const at of await reader.placed('/sys/class/net')) all.push(await readRaw(reader, at));
  const physical = all.filter(({ at }) => at.owner !== null);
  const byName = new Map(
    all.filter(({ at }) => at.owner === null).map((raw) => [raw.at.name, raw]),
  );
  byName.delete('lo');
  const upper = standing(physical, byName);
  const kept = new Set([...physical, ...upper].map(({ at }) => at.name));
  const tables = await readTables(reader);
  const addresses = tables.addresses.filter(({ iface }) => kept.has(iface));
  const routes = withoutConnected(
    tables.routes.filter(({ iface }) => kept.has(iface)),
    addresses,
  );
  const gateways = routes.flatMap(({ gateway }) => (gateway === null ? [] : [gateway]));
  const mask = maskTexts([
    ...addresses.map(({ address }) => address),
    ...routes.map(({ destination }) => destination),
    ...gateways,
  ]);
  const macs = new MacMask();
  const netOf = (raw: Raw): NetSpec => ({
    name: raw.at.name,
    mac: macs.mask(raw.mac === '' ? '00:00:00:00:00:00' : raw.mac.slice(0, 17)),
    ...{ up: raw.up, carrier: raw.carrier, namespace: null },
    addresses: addresses
      .filter(({ iface }) => iface === raw.at.name)
      .map((each) => mask(each.address)),
    master: raw.master !== null && kept.has(raw.master) ? raw.master : null,
    uppers: raw.uppers.filter((name) => kept.has(name)),
  });
  const virtual: VirtualNetSpec[] = [];
  for (const raw of upper) virtual.push({ ...netOf(raw), type: await typeOf(reader, raw) });
  return {
    physical: physical.map((raw) => ({ at: raw.at, net: netOf(raw) })),
    moved: await readMoved(reader, functions),
    virtual,
    routes: routes.map(({ destination, gateway, iface }) => ({
      ...{ destination: mask(destination), iface },
      gateway: gateway === null ? null : mask(gateway),
    })),
  };
}

/** A `net` folder without an interface in it: the interface is in another namespace, where its name does not show. */
async function readMoved(
  reader: ExportReader,
  functions: readonly PciFunction[],
): Promise<ReadonlyMap<PciAddress, NetSpec>> {
  const moved = new Map<PciAddress, NetSpec>();
  for (const fn of functions) {
    const folder = `/sys/bus/pci/devices/${fn.address}`;
    const virtio = [...fn.entries].find((name) => /^virtio\d+$/.test(name));
    const net = fn.entries.has('net') ? `${folder}/net` : virtio && `${folder}/${virtio}/net`;
    if (net === undefined || (await reader.names(net)).length > 0) continue;
    if (!(await reader.survey.names(net)).known) continue;
    moved.set(fn.address, {
      ...{ name: `moved${moved.size}`, mac: '00:00:00:00:00:00', up: true, carrier: true },
      ...{ addresses: [], master: null, uppers: [], namespace: 'elsewhere' },
    });
  }
  return moved;
}
