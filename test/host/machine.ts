// Machines for the tests of host/: real folders with what Linux would show, read by the real LinuxKernel.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { LanePool } from '../../src/kernel/linux/lane-pool.ts';
import { laneEntryUnbuilt, LinuxKernel } from '../../src/kernel/linux/linux-kernel.ts';
import { type PciAddress, parsePciAddress } from '../../src/pci/address.ts';
import {
  eventually,
  link,
  realClock,
  scratchFolder,
  type Tree,
  writeTree,
} from '../kernel/linux/support.ts';

export { link, realClock, type Tree } from '../kernel/linux/support.ts';

/** An address that is written out in a test. */
export function at(text: string): PciAddress {
  const parsed = parsePciAddress(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** One function of a test machine; what is left out is as on a plain endpoint with group and no driver. */
export interface FunctionFixture {
  readonly address: string;
  /** Functions above it, root port first. */
  readonly upstream?: readonly string[];
  readonly vendor?: string;
  readonly device?: string;
  readonly classCode?: string;
  readonly driver?: string | null;
  readonly group?: number | null;
  readonly enable?: number;
  readonly numa?: number;
  readonly vfio?: string;
  readonly override?: string;
  /** Further files, folders and links below the device, relative to its folder. */
  readonly below?: Tree;
}

/** A machine on disk. */
export interface TestMachine {
  readonly folder: string;
  readonly kernel: LinuxKernel;
  /** Adds files; paths are canonical without their leading slash (`sys/class/net/eth0`). */
  add(tree: Tree): void;
  /** Adds a function, its links, its driver's folder and its place in a group. */
  addFunction(fixture: FunctionFixture): void;
  /** The folder of a function below /sys/devices, without leading slash. */
  place(fixture: FunctionFixture): string;
}

/** `relative` link text from one canonical folder to another. */
function relativeLink(fromFolder: string, to: string): string {
  const up = fromFolder.split('/').filter((part) => part !== '').length;
  return `${'../'.repeat(up)}${to}`;
}

function placeOf(fixture: FunctionFixture): string {
  const domain = fixture.address.split(':')[0] ?? '0000';
  return ['sys/devices', `pci${domain}:00`, ...(fixture.upstream ?? []), fixture.address].join('/');
}

function functionTree(fixture: FunctionFixture): Tree {
  const { address, driver = null, group = 1, vfio } = fixture;
  const place = placeOf(fixture);
  const files: Record<string, Tree[string]> = {
    vendor: `0x${fixture.vendor ?? '8086'}\n`,
    device: `0x${fixture.device ?? '10d3'}\n`,
    subsystem_vendor: '0x1af4\n',
    subsystem_device: '0x1100\n',
    class: `0x${fixture.classCode ?? '020000'}\n`,
    enable: `${fixture.enable ?? (driver === null ? 0 : 1)}\n`,
    numa_node: `${fixture.numa ?? -1}\n`,
    driver_override: `${fixture.override ?? '(null)'}\n`,
    reset_method: 'flr bus\n',
    reset: '',
    config: Buffer.from('8680d31007041000', 'hex'),
    uevent: `${driver === null ? '' : `DRIVER=${driver}\n`}PCI_SLOT_NAME=${address}\n`,
    subsystem: link(relativeLink(place, 'sys/bus/pci')),
    ...(vfio === undefined ? {} : { 'vfio-dev': { [vfio]: { dev: '511:0\n' } } }),
  };
  if (driver !== null) files['driver'] = link(relativeLink(place, `sys/bus/pci/drivers/${driver}`));
  if (group !== null)
    files['iommu_group'] = link(relativeLink(place, `sys/kernel/iommu_groups/${group}`));
  return { ...files, ...fixture.below };
}

/** Makes empty machines whose kernels share one pool of lanes, closed when the file's tests are over. */
export function testMachines(): (t: { after(fn: () => void): void }) => TestMachine {
  const program = { execPath: process.execPath, entry: laneEntryUnbuilt };
  const lanes = new LanePool({ clock: realClock, log: silentLog, program });
  after(async () => {
    lanes.close();
    await eventually('no lane is left behind', () => lanes.lanePids.length === 0, 2000);
  });
  return (t) => {
    const folder = scratchFolder(t);
    const roots = {
      sysfs: join(folder, 'sys'),
      proc: join(folder, 'proc'),
      dev: join(folder, 'dev'),
      run: join(folder, 'run'),
    };
    const kernel = new LinuxKernel({
      clock: realClock,
      log: silentLog,
      lanes,
      roots,
      udevadm: null,
    });
    const add = (tree: Tree): void => writeTree(folder, tree);
    for (const made of [
      'sys/bus/pci/devices',
      'sys/kernel/iommu_groups',
      'sys/class/iommu',
      'proc',
      'dev',
      'run',
    ]) {
      mkdirSync(join(folder, made), { recursive: true });
    }
    const addFunction = (fixture: FunctionFixture): void => {
      const { address, driver = null, group = 1 } = fixture;
      const place = placeOf(fixture);
      add({
        [place]: functionTree(fixture),
        [`sys/bus/pci/devices/${address}`]: link(relativeLink('sys/bus/pci/devices', place)),
      });
      if (driver !== null) {
        add({
          [`sys/bus/pci/drivers/${driver}`]: {
            bind: '',
            unbind: '',
            [address]: link(relativeLink(`sys/bus/pci/drivers/${driver}`, place)),
          },
        });
      }
      if (group === null) return;
      const groupFolder = `sys/kernel/iommu_groups/${group}`;
      add({
        [`${groupFolder}/devices/${address}`]: link(relativeLink(`${groupFolder}/devices`, place)),
        [`${groupFolder}/type`]: 'DMA-FQ\n',
        [`${groupFolder}/reserved_regions`]: '0x00000000fee00000 0x00000000feefffff msi\n',
      });
    };
    return { folder, kernel, add, addFunction, place: placeOf };
  };
}
