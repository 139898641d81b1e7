// Network interfaces of a function: up, with addresses, with the default route or the node's own address, also
// through what is stacked on them (bond, bridge, team, vlan, Open vSwitch), or moved to another namespace.
import type { Known } from '../../base/known.ts';
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { baseName, isAbsent, orAbsent } from '../reading.ts';
import { type LinkedDevice, type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { type NetworkTable, surveyNetwork } from '../survey/network.ts';

const folder = '/sys/class/net';
const flagUp = 1;

/** NetworkDefaultRoute, NodeAddress, NetworkAddress, NetworkInterfaceUp, NetworkLowerDevice, NetworkInOtherNamespace. */
export async function networkUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked(folder);
  const found = unknownUses(context.targets, 'network interfaces', problems);
  const concerned = devices.filter((device) => device.targets.length > 0);
  if (concerned.length > 0) {
    const table = await surveyNetwork(context);
    const owners = [...new Set(concerned.flatMap((device) => device.targets))];
    found.push(...unknownUses(owners, 'addresses and routes', table.problems));
    found.push(...(await findingsOf(concerned, (each) => interfaceUses(context, each, table))));
  }
  found.push(...(await findingsOf(context.targets, (fn) => movedUses(context, fn))));
  return found;
}

async function interfaceUses(
  context: UseContext,
  device: LinkedDevice,
  table: NetworkTable,
): Promise<readonly HostUse[]> {
  const found: HostUse[] = [];
  const path = `${device.path}/flags`;
  const flags = await context.text(path);
  const up = flags.known ? /^0x([0-9a-f]+)\n$/.exec(flags.value) : null;
  if (!flags.known) found.push(...unknownUses(device.targets, device.name, [flags]));
  else if (up === null) {
    found.push(
      ...unknownUses(device.targets, device.name, [
        { known: false, path, why: `says ${flags.value.trim()} instead of a hex number` },
      ]),
    );
  } else if ((Number.parseInt(up[1] ?? '0', 16) & flagUp) !== 0) {
    found.push(
      ...usesOf('NetworkInterfaceUp', device.targets, device.name, { path, says: flags.value }),
    );
  }
  const stack = await above(context, device.name);
  if (!stack.known) return [...found, ...unknownUses(device.targets, device.name, [stack])];
  for (const { name, link } of stack.value) {
    if (name === device.name) continue;
    found.push(
      ...usesOf('NetworkLowerDevice', device.targets, `${device.name} under ${name}`, {
        path: link,
        says: name,
      }),
    );
  }
  const names = stack.value.map((each) => each.name);
  return [...found, ...addressUses(context, device, names, table)];
}

interface Stacked {
  readonly name: string;
  /** The link that leads to it. */
  readonly link: string;
}

/** The interface and everything stacked on it: `master` and `upper_*` links, followed upwards. */
async function above(context: UseContext, lowest: string): Promise<Known<readonly Stacked[]>> {
  const found = new Map<string, Stacked>([[lowest, { name: lowest, link: `${folder}/${lowest}` }]]);
  for (const { name } of found.values()) {
    const entries = orAbsent(await context.names(`${folder}/${name}`), []);
    if (!entries.known) return entries;
    for (const entry of entries.value) {
      if (entry !== 'master' && !entry.startsWith('upper_')) continue;
      const link = `${folder}/${name}/${entry}`;
      const target = await context.linkText(link);
      if (!target.known) {
        if (isAbsent(target)) continue;
        return target;
      }
      const upper = baseName(target.value);
      // Ports of Open vSwitch have the datapath ("ovs-system") as master.
      if (!found.has(upper)) found.set(upper, { name: upper, link });
    }
  }
  return { known: true, value: [...found.values()] };
}

function addressUses(
  context: UseContext,
  device: LinkedDevice,
  names: readonly string[],
  table: NetworkTable,
): HostUse[] {
  const found: HostUse[] = [];
  const called = (name: string): string =>
    name === device.name ? name : `${name} over ${device.name}`;
  for (const { iface, address, path } of table.addresses) {
    if (!names.includes(iface)) continue;
    const kind: HostUseKind = context.nodeAddresses.includes(address)
      ? 'NodeAddress'
      : 'NetworkAddress';
    // A link-local address comes by itself with an interface that is up: no use of its own.
    if (kind === 'NetworkAddress' && /^fe[89ab]/.test(address)) continue;
    found.push(
      ...usesOf(kind, device.targets, `${called(iface)} ${address}`, {
        path,
        says: `${iface} ${address}`,
      }),
    );
  }
  for (const { iface, isDefault, path, line } of table.routes) {
    if (!isDefault || !names.includes(iface)) continue;
    found.push(
      ...usesOf('NetworkDefaultRoute', device.targets, called(iface), { path, says: line }),
    );
  }
  return found;
}

/** A `net` folder without an interface in it: the interface is in another network namespace, so in a pod. */
async function movedUses(context: UseContext, fn: PciFunction): Promise<readonly HostUse[]> {
  const device = `${devicesFolder}/${fn.address}`;
  const folders = [...fn.entries].flatMap((entry) => {
    if (entry === 'net') return [`${device}/net`];
    // The netdev of a virtio function hangs one level lower.
    return /^virtio\d+$/.test(entry) ? [`${device}/${entry}/net`] : [];
  });
  const found: HostUse[] = [];
  for (const path of folders) {
    const names = await context.names(path);
    if (!names.known) {
      if (!isAbsent(names)) found.push(...unknownUses([fn], 'network interfaces', [names]));
    } else if (names.value.length === 0) {
      found.push(
        ...usesOf('NetworkInOtherNamespace', [fn], 'its network interface', {
          path,
          says: 'empty',
        }),
      );
    }
  }
  return found;
}
