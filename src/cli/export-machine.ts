// A live machine as the text of a topology file: read through KernelFs alone, whichever kernel is behind it, so that
// a user's report is a machine to simulate. Tells nothing secret: see mask.ts for what is replaced. What could not
// be read stands at the head of the text, because the exported machine does not have it.
import { readOverride } from '../host/binding.ts';
import { profileOfRelease } from '../kernel/model/dump-texts.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { DeviceSpec, DriverSpec, MachineSpec, ProcessSpec } from '../kernel/model/spec.ts';
import * as defaults from '../kernel/model/topology-defaults.ts';
import { exportTopology } from '../kernel/model/topology-export.ts';
import { known, valueOr } from '../base/known.ts';
import type { PciAddress } from '../pci/address.ts';
import type { MemberDetail } from '../pci/function.ts';
import type { NodeFacts } from '../pci/inventory.ts';
import { readBlocks } from './export/blocks.ts';
import { readChildren } from './export/children.ts';
import { readDevices } from './export/devices.ts';
import { harmlessWords } from './export/mask.ts';
import { readNets } from './export/nets.ts';
import { ExportReader } from './export/reader.ts';
import type { MachineLook } from './look-at-machine.ts';
import { version } from './version.ts';

/** Name of an exported machine: not the host's. */
const name = 'exported';

/** The text of a topology file for the machine behind `kernel`, of which `machine` is a close look. Reads only. */
export async function exportMachine(kernel: KernelFs, machine: MachineLook): Promise<string> {
  const { node, inventory, looks } = machine;
  const reader = new ExportReader(kernel, inventory.functions);
  reader.note(inventory.unreadable);
  const nets = await readNets(reader, inventory.functions);
  const blocks = await readBlocks(reader);
  const grouped = valueOr(node.iommuUnits, []).length > 0;
  const devices = await readDevices({
    ...{ reader, grouped, functions: inventory.functions, groups: inventory.groups },
    details: await detailsOf(kernel, reader, machine),
    childrenOf: await readChildren(reader, nets, blocks),
  });
  const spec: MachineSpec = {
    ...machineFacts(node, looks),
    cmdline: harmlessWords((await reader.text('/proc/cmdline')) ?? ''),
    noiommuMode:
      (await reader.text('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode')) === 'Y',
    devices,
    platformDevices: grouped ? platformDevices(machine) : [],
    drivers: await readDrivers(reader, devices),
    modules: await readModules(reader),
    ...{
      stacked: blocks.stacked,
      virtualNets: nets.virtual,
      storageTargets: blocks.storageTargets,
    },
    ...{ mounts: blocks.mounts, swaps: blocks.swaps, routes: nets.routes },
    processes: await readProcesses(reader, blocks.namespaces),
    zfsPools: await readPools(reader),
    consoles: ((await reader.text('/sys/class/tty/console/active')) ?? '')
      .split(/\s+/)
      .filter((word) => word !== ''),
  };
  return `${headOf(reader)}${exportTopology(spec)}`;
}

function machineFacts(
  node: NodeFacts,
  looks: MachineLook['looks'],
): Pick<MachineSpec, 'name' | 'description' | 'profile' | 'release' | 'bootId' | 'iommu' | 'cdev'> {
  const release = valueOr<string | null>(node.kernelRelease, null);
  const units = valueOr(node.iommuUnits, []);
  const types = looks.map(({ group }) => valueOr(group.domainType, ''));
  const domainType = (['DMA', 'DMA-FQ', 'identity'] as const).find((type) => types.includes(type));
  const told = profileOfRelease(release ?? '');
  const accounts = valueOr(node.ownershipAccounting, told !== 'legacy');
  return {
    name,
    description: `A machine with Linux ${release ?? 'of an unknown release'}, exported by wholegroup ${version}`,
    // A kernel of a distribution may account for ownership whatever its number is.
    profile: accounts ? (told === 'legacy' ? '6.1' : told) : 'legacy',
    release,
    bootId: defaults.bootIdOf(name),
    iommu: {
      kind:
        units.length === 0
          ? 'none'
          : units.some((unit) => unit.startsWith('ivhd'))
            ? 'amd'
            : 'intel',
      units,
      interruptRemapping: valueOr(node.interruptRemapping, false),
      unsafeInterruptsAllowed: valueOr(node.unsafeInterruptsAllowed, false),
      ...(domainType === undefined ? {} : { domainType }),
    },
    cdev: valueOr(node.iommufd, false),
  };
}

/** Details of every function: those of the look, and what is as easily had of functions in no group. */
async function detailsOf(
  kernel: KernelFs,
  reader: ExportReader,
  { inventory, looks }: MachineLook,
): Promise<ReadonlyMap<PciAddress, MemberDetail>> {
  const details = new Map(
    looks.flatMap((look) => look.details.map((each) => [each.address, each] as const)),
  );
  for (const { address } of inventory.functions) {
    if (details.has(address)) continue;
    const folder = `/sys/bus/pci/devices/${address}`;
    const methods = ((await reader.text(`${folder}/reset_method`)) ?? '').split(' ');
    const head = (await reader.bytes(`${folder}/config`)).subarray(0, 8);
    details.set(address, {
      address,
      driverOverride: await readOverride(kernel, address),
      accessible: known(head.length === 0 || head.some((byte) => byte !== 0xff)),
      resetMethods: known(methods.filter((word) => word !== '')),
      unbindForbidden: known(null),
      leavingDriver: known(null),
    });
  }
  return details;
}

function platformDevices({ inventory }: MachineLook): MachineSpec['platformDevices'] {
  return inventory.groups.flatMap((group) =>
    group.members.flatMap((member) =>
      member.kind === 'pci'
        ? []
        : [
            {
              name: member.name,
              bus: valueOr(member.bus, null) ?? 'platform',
              driver: valueOr(member.driver, null),
              group: group.number,
            },
          ],
    ),
  );
}

/** The drivers that functions have or would have, and those of VFIO; others do not matter here. */
async function readDrivers(
  reader: ExportReader,
  devices: readonly DeviceSpec[],
): Promise<readonly DriverSpec[]> {
  const folder = '/sys/bus/pci/drivers';
  const there = await reader.names(folder);
  const wanted = new Set([
    ...defaults.impliedDrivers(devices),
    ...there.filter((each) => each.includes('vfio')),
  ]);
  const drivers: DriverSpec[] = [];
  for (const driver of [...wanted].sort()) {
    const otherwise = defaults.defaultDriver(driver);
    if (!there.includes(driver)) {
      drivers.push({ ...otherwise, loaded: false });
      continue;
    }
    const entries = await reader.names(`${folder}/${driver}`);
    const module = entries.includes('module')
      ? await reader.link(`${folder}/${driver}/module`)
      : null;
    drivers.push({ name: driver, module, loaded: true, fixed: !entries.includes('unbind') });
  }
  return drivers;
}

/** Modules whose reference counts tell of users that nothing else shows: those of RDMA. */
const countedModules = [
  'nvme_rdma',
  'nvmet_rdma',
  'ib_iser',
  'ib_isert',
  'ib_srp',
  'ib_srpt',
  'rpcrdma',
  'rds_rdma',
  'smc',
];

async function readModules(reader: ExportReader): Promise<MachineSpec['modules']> {
  const found: { name: string; refs: number }[] = [];
  for (const module of countedModules) {
    const refs = await reader.text(`/sys/module/${module}/refcnt`);
    if (refs !== null) found.push({ name: module, refs: Math.max(0, Number(refs) || 0) });
  }
  return found;
}

/** Processes that hold device files, by their names and those files; one for each mount namespace that matters. */
async function readProcesses(
  reader: ExportReader,
  namespaces: readonly { readonly name: string; readonly pid: number }[],
): Promise<readonly ProcessSpec[]> {
  const { openers, problems } = await reader.survey.processes();
  reader.note(problems);
  const files = new Map<number, Set<string>>([[1, new Set()]]);
  for (const { pid } of namespaces) files.set(pid, new Set());
  for (const [file, who] of openers) {
    for (const { pid } of who) {
      const own = files.get(pid) ?? new Set();
      files.set(pid, own.add(file));
    }
  }
  const processes: ProcessSpec[] = [];
  for (const [pid, own] of [...files].sort(([a], [b]) => a - b)) {
    processes.push({
      pid,
      comm: ((await reader.text(`/proc/${pid}/comm`)) || 'unknown').slice(0, 15),
      mountNamespace: namespaces.find((each) => each.pid === pid)?.name ?? defaults.hostNamespace,
      netNamespace: defaults.hostNamespace,
      files: [...own].sort(),
      fdinfo: {},
    });
  }
  return processes;
}

async function readPools(reader: ExportReader): Promise<MachineSpec['zfsPools']> {
  const folder = '/proc/spl/kstat/zfs';
  const pools: { name: string; state: string }[] = [];
  for (const pool of await reader.names(folder)) {
    const state = await reader.survey.text(`${folder}/${pool}/state`);
    if (state.known) pools.push({ name: pool, state: state.value.trim() || 'ONLINE' });
  }
  return pools;
}

/** Comment lines before the machine. */
function headOf(reader: ExportReader): string {
  const lines = [
    'MAC and IP addresses, device-mapper uuids, the boot id and most of the kernel command line are replaced or left',
    'out. Names of interfaces, disks, mount points and programs are as they were.',
    ...[...reader.unread].map(([path, why]) => `Not read, and missing below: ${path}: ${why}`),
  ];
  return lines.map((line) => `# ${line.replaceAll(/[^\x20-\x7e]/g, '?')}\n`).join('');
}
