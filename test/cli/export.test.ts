// An exported machine is the machine that was looked at: the same groups, drivers, owners and reasons, whatever the
// machine, over the text and over a file. And it tells no addresses.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { exportMachine } from '../../src/cli/export-machine.ts';
import { lookAtMachine } from '../../src/cli/look-at-machine.ts';
import { machineReport, type MachineReport } from '../../src/cli/render/report.ts';
import type { KernelFs } from '../../src/kernel/fs.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { MachineSpec } from '../../src/kernel/model/spec.ts';
import { bundledTopology, bundledTopologyNames } from '../../src/kernel/model/topology-bundled.ts';
import { parseTopology, readTopologyFile } from '../../src/kernel/model/topology.ts';
import { runCommand } from './run-command.ts';

const clock = (): VirtualClock => new VirtualClock();
const modelOf = (spec: MachineSpec): KernelModel => new KernelModel({ spec, clock: clock() });

async function reportOf(kernel: KernelFs): Promise<MachineReport> {
  const { node, inventory, looks } = await lookAtMachine(kernel, {
    clock: clock(),
    log: silentLog,
  });
  return machineReport(node, inventory, looks);
}

async function exportOf(kernel: KernelFs): Promise<string> {
  return exportMachine(kernel, await lookAtMachine(kernel, { clock: clock(), log: silentLog }));
}

/** What must be the same: everything but the texts in which masked addresses and identifiers stand. */
function comparable(report: MachineReport): unknown {
  const kinds = (blockers: MachineReport['machineBlockers']): readonly string[] =>
    blockers.map(({ kind, address }) => `${kind} ${address}`);
  return {
    ...report,
    machineBlockers: kinds(report.machineBlockers),
    groups: report.groups.map((group) => ({ ...group, blockers: kinds(group.blockers) })),
  };
}

function parsed(text: string): MachineSpec {
  const spec = parseTopology(text, 'again');
  if (!spec.ok) assert.fail(`${JSON.stringify(spec.problem.slice(0, 5))}\n${text.slice(0, 2000)}`);
  return spec.value;
}

/** All but the large one, for tests in which size adds nothing. */
const small = bundledTopologyNames.filter((name) => name !== 'large-1000');

const dumps = ['guest-sysfs', 'guest-sysfs-assigned'];

async function machineNamed(name: string): Promise<MachineSpec> {
  if (!dumps.includes(name)) return bundledTopology(name as (typeof bundledTopologyNames)[number]);
  return readTopologyFile(join(import.meta.dirname, `../data/topologies/${name}.json`));
}

for (const name of [...bundledTopologyNames, ...dumps]) {
  test(`${name}: what is exported loads again and looks the same`, async () => {
    const kernel = modelOf(await machineNamed(name));
    const before = await reportOf(kernel);
    const text = await exportOf(kernel);
    const again = parsed(text);
    assert.deepEqual(comparable(await reportOf(modelOf(again))), comparable(before));
    // An export of the export is the same file: nothing is lost or made up on the way.
    assert.equal(await exportOf(modelOf(again)), text);
  });
}

test('inspect --export writes a file that inspect reads, with the same groups', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-export-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of small) {
    const file = join(folder, `${name}.yaml`);
    const first = await runCommand(['inspect', '--kernel', name, '-o', 'json', '--export', file]);
    assert.match(first.err, /look through it before you share it/);
    const second = await runCommand(['inspect', '--kernel', file, '-o', 'json']);
    assert.equal(second.status, first.status, name);
    const report = (out: string): unknown => comparable(JSON.parse(out) as MachineReport);
    assert.deepEqual(report(second.out), report(first.out), name);
  }
});

test('an export that cannot be written is an error that names the file', async () => {
  const file = '/proc/no-such-folder/machine.yaml';
  const run = await runCommand(['inspect', '--kernel', 'no-iommu', '--export', file]);
  assert.equal(run.status, 64);
  assert.match(
    run.err,
    /--export \/proc\/no-such-folder\/machine\.yaml: cannot be written: ENOENT/,
  );
});

test('hardware addresses, IP addresses and identifiers of the machine are in no export', async () => {
  for (const name of small) {
    const spec = bundledTopology(name);
    const nets = [
      ...spec.devices.flatMap(({ children, sriov }) => [
        ...children.net,
        ...children.usb.flatMap((usb) => usb.net),
        ...(sriov?.vfs ?? []).flatMap((vf) => vf.children.net),
      ]),
      ...spec.virtualNets,
    ];
    const secrets = [
      ...nets.map(({ mac }) => mac).filter((mac) => mac !== '00:00:00:00:00:00'),
      ...nets.flatMap(({ addresses }) => addresses.map((address) => address.split('/')[0] ?? '')),
      ...spec.routes.flatMap(({ gateway }) =>
        gateway === null || gateway === 'fe80::1' ? [] : [gateway],
      ),
      ...spec.stacked.flatMap(({ dmUuid }) => (dmUuid === null ? [] : [dmUuid])),
      spec.bootId,
    ];
    const text = await exportOf(modelOf(spec));
    for (const secret of secrets) assert.ok(!text.includes(secret), `${name} tells ${secret}`);
  }
});

test('the command line is exported without words that may tell of the host', async () => {
  const cmdline =
    'BOOT_IMAGE=/vmlinuz root=UUID=0a1b2c ip=192.0.2.9::192.0.2.1 intel_iommu=on token=hunter2 pcie_acs_override=downstream vfio-pci.ids=10de:2684 quiet';
  const spec = { ...bundledTopology('two-numa'), cmdline };
  const again = parsed(await exportOf(modelOf(spec)));
  assert.equal(
    again.cmdline,
    'intel_iommu=on pcie_acs_override=downstream vfio-pci.ids=10de:2684 quiet',
  );
});

test('what could not be read is named at the head of the export', async () => {
  const model = modelOf(bundledTopology('nvme-lvm'));
  const kernel: KernelFs = {
    read: (path, options) =>
      path === '/proc/swaps'
        ? Promise.resolve({ kind: 'errno', errno: 'EACCES' })
        : model.read(path, options),
    list: (path) => model.list(path),
    readLink: (path) => model.readLink(path),
    readLinks: (path) => model.readLinks(path),
    write: () => assert.fail('an export writes nothing'),
    exists: (path) => model.exists(path),
    changes: (listener) => model.changes(listener),
  };
  const text = await exportOf(kernel);
  assert.match(text, /^# Not read, and missing below: \/proc\/swaps: EACCES$/m);
  assert.deepEqual(parsed(text).swaps, []);
});

test('members of groups on other buses come along', async () => {
  const spec = bundledTopology('gpu-workstation');
  const withTpm = {
    ...spec,
    platformDevices: [{ name: 'MSFT0201:00', bus: 'platform', driver: 'tpm_tis', group: 0 }],
  };
  const kernel = modelOf(withTpm);
  const again = parsed(await exportOf(kernel));
  assert.deepEqual(again.platformDevices, withTpm.platformDevices);
  assert.deepEqual(comparable(await reportOf(modelOf(again))), comparable(await reportOf(kernel)));
});

test('exports are readable YAML that begins with what was masked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-export-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'machine.yaml');
  writeFileSync(file, await exportOf(modelOf(bundledTopology('no-acs'))));
  assert.match(readFileSync(file, 'utf8'), /^# MAC and IP addresses, device-mapper uuids/);
  assert.equal((await readTopologyFile(file)).name, 'exported');
});
