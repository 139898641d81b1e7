// What is told before a group is taken, of kernels that let go badly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cautionsFor } from '../../src/cli/render/cautions.ts';
import type { MemberReport } from '../../src/cli/render/member-report.ts';

const member = (role: MemberReport['role'], driver: string | null): MemberReport => ({
  ...{ address: '0000:05:00.0', id: '1b36:000e', subsystem: null, class: '060400' },
  ...{ description: 'PCI bridge', driver, role, numaNode: null, vfioDevice: null },
  ...{ driverOverride: null, resetMethods: null, physicalFunction: null, virtualFunctions: null },
  unread: [],
});

const cases: readonly (readonly [
  text: string,
  bridge: MemberReport,
  release: string | null,
  cautions: number,
])[] = [
  ['a PCIe-to-PCI bridge on Linux 6.1', member('bridge', null), '6.1.0-56-amd64', 1],
  ['the same bridge under shpchp', member('bridge', 'shpchp'), '6.1.0-56-amd64', 1],
  ['a root port on Linux 6.1', member('bridge', 'pcieport'), '6.1.0-56-amd64', 0],
  ['a PCIe-to-PCI bridge on Linux 6.12', member('bridge', null), '6.12.118+deb13-amd64', 0],
  ['a PCIe-to-PCI bridge on Linux 6.10', member('bridge', null), '6.10.3', 0],
  ['a PCIe-to-PCI bridge on a kernel that is not known', member('bridge', null), null, 0],
];

for (const [text, bridge, release, cautions] of cases) {
  test(`${text}: ${cautions === 0 ? 'no caution' : 'Linux may stop when its group is let go'}`, () => {
    const told = cautionsFor([bridge], release);
    assert.equal(told.length, cautions, told.join('\n'));
    for (const each of told) assert.match(each, /Linux 6\.1 may stop/);
  });
}
