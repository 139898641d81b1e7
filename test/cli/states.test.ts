// States that are rare and must be readable all the same: dead devices, hung operations, facts that cannot be read,
// kernels and machines that nothing can be done with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { known, unknown } from '../../src/base/known.ts';
import { previewClaim } from '../../src/cli/claim-preview.ts';
import { iommuAdvice } from '../../src/cli/iommu-advice.ts';
import { explanationLines } from '../../src/cli/render/explanation.ts';
import { machineLines } from '../../src/cli/render/machine.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { type GroupReport, machineReport } from '../../src/cli/render/report.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import type { MemberDetail, PciFunction } from '../../src/pci/function.ts';
import type { NodeFacts } from '../../src/pci/inventory.ts';
import { detail, fn, goodNode, group, look } from '../support/groups.ts';

const address = '0000:04:00.0';

function inspected(node: NodeFacts, looks: readonly GroupLook[]): string {
  const functions = looks.flatMap((each) =>
    each.group.members.flatMap((member) => (member.kind === 'pci' ? [member.fn] : [])),
  );
  const inventory = { functions, groups: looks.map((each) => each.group), unreadable: [] };
  const report = machineReport(node, inventory, looks);
  return machineLines(report, [], { paint: plain, width: null, all: false }).join('\n');
}

function explained(node: NodeFacts, seen: GroupLook): string {
  const report = machineReport(node, { functions: [], groups: [], unreadable: [] }, [seen]);
  const of = report.groups[0] as GroupReport;
  const preview = previewClaim(node, seen, of, address);
  return explanationLines({ address, group: of, machine: report, preview }, plain).join('\n');
}

function seenWith(change: Partial<PciFunction>, details: Partial<MemberDetail> = {}): GroupLook {
  const member = { ...fn(address, { driver: 'e1000e' }), ...change };
  return look(group([member]), { details: [{ ...detail(address), ...details }] });
}

test('a dead device says that it does not answer, with what was read and what to do', () => {
  const text = explained(goodNode, seenWith({}, { accessible: known(false) }));
  assert.match(text, /DeviceInaccessible: 0000:04:00\.0 does not answer on the bus/);
  assert.match(text, /evidence {2}\/sys\/bus\/pci\/devices\/0000:04:00\.0\/config says "ffffffff"/);
  assert.match(text, /Power-cycle the device/);
});

test('a read that is still blocked in the kernel is told as such, and the rest is shown', () => {
  const path = `/sys/bus/pci/devices/${address}/driver_override`;
  const seen = seenWith({}, { driverOverride: unknown(path, 'pending') });
  const text = explained(goodNode, seen);
  assert.match(text, /UnknownFact: .* could not be read \(.*driver_override: pending\)/);
  assert.doesNotMatch(text, /A claim would/);
  assert.match(inspected(goodNode, [seen]), /0000:04:00\.0 .* e1000e .*UnknownFact: /);
});

test('ids, class and driver that cannot be read are marked, not left blank', () => {
  const why = unknown('/sys/x', 'EIO');
  const seen = seenWith({ ids: why, classCode: why, driver: why });
  assert.match(inspected(goodNode, [seen]), /0000:04:00\.0 {2}\?{4}:\?{4} {2}unknown class {2}\? /);
  assert.match(explained(goodNode, seen), /unknown class {2}driver unknown/);
});

test('a fact of the machine that cannot be read stands in the heading and counts against every group', () => {
  const node = { ...goodNode, iommuUnits: unknown('/sys/class/iommu', 'EACCES') };
  const text = inspected(node, [seenWith({})]);
  assert.match(text, /^IOMMU {17}unknown$/m);
  assert.match(text, /UnknownFact \(\/sys\/class\/iommu: EACCES\)/);
  assert.match(
    text,
    /^could not read \/sys\/class\/iommu: EACCES; what it holds counts as in use$/m,
  );
  assert.match(text, /0 releasable now, 1 more once the machine is ready/);
});

test('somebody inside is told with who', () => {
  const evidence = [{ path: '/proc/4711/fd/17', says: '/dev/vfio/1 by pid 4711 (qemu)' }];
  const seen = look(group([fn(address, { driver: 'vfio-pci', enable: 1 })]), {
    inside: { kind: 'someone', evidence },
  });
  const text = explained(goodNode, seen);
  assert.match(text, /owned by userspace/);
  assert.match(text, /ForeignVfioUser: .*\/dev\/vfio\/1 by pid 4711 \(qemu\)/);
});

test('a member on another bus is shown by its name, bus and driver', () => {
  const other = {
    kind: 'other',
    name: 'MSFT0201:00',
    bus: known('acpi'),
    driver: known('tpm_crb'),
  } as const;
  const seen = look(group([fn(address)], { others: [other] }));
  const text = explained(goodNode, seen);
  assert.match(text, /MSFT0201:00 {2}acpi device {10}driver tpm_crb/);
  assert.match(text, /NonPciMember: MSFT0201:00 shares its group/);
});

test('a claimed isolation and allowed unsafe interrupts are warned of in the heading', () => {
  const node = {
    ...goodNode,
    acsOverride: known(true),
    interruptRemapping: known(false),
    unsafeInterruptsAllowed: known(true),
  };
  const text = inspected(node, [seenWith({})]);
  assert.match(text, /pcie_acs_override= is on the kernel command line/);
  assert.match(text, /Interrupt remapping {3}no, and allow_unsafe_interrupts is set/);
});

test('without the VFIO container device a claim is previewed with device files', () => {
  const node = { ...goodNode, vfioContainer: known(false), iommufd: known(true) };
  const text = explained(node, seenWith({}));
  assert.match(text, /The container gets \/dev\/iommu and \/dev\/vfio\/devices\/vfioN\./);
});

const tables = (...names: string[]) => known(names);
const noTables = unknown('/sys/firmware/acpi/tables', 'ENOENT');

/** Why there is no IOMMU → what is said first. */
const advice: readonly (readonly [
  name: string,
  clues: Parameters<typeof iommuAdvice>[0],
  says: RegExp,
])[] = [
  [
    'a word of the command line',
    { switchedOff: 'intel_iommu=off', tables: tables('DMAR'), virtual: known(false) },
    /^"intel_iommu=off" on the kernel command line turns it off/,
  ],
  [
    'an Intel table that is not used',
    { switchedOff: null, tables: tables('DMAR'), virtual: known(false) },
    /boot with intel_iommu=on/,
  ],
  [
    'an AMD table that is not used',
    { switchedOff: null, tables: tables('IVRS'), virtual: known(false) },
    /ACPI table IVRS.*dmesg/,
  ],
  [
    'a virtual machine without one',
    { switchedOff: null, tables: tables(), virtual: known(true) },
    /^This is a virtual machine/,
  ],
  [
    'hardware without one',
    { switchedOff: null, tables: tables(), virtual: known(false) },
    /^Turn VT-d .* on in the firmware/,
  ],
  [
    'nothing that tells',
    { switchedOff: null, tables: noTables, virtual: unknown('/proc/cpuinfo', 'ENOENT') },
    /^Turn VT-d .*A virtual machine gets one/s,
  ],
];

for (const [name, clues, says] of advice) {
  test(`no IOMMU, and ${name}: the advice fits`, () => {
    const lines = iommuAdvice(clues);
    assert.match(lines.join(' '), says);
    assert.match(lines.at(-1) ?? '', /ls \/sys\/class\/iommu/);
  });
}
