// The report of a machine as lines: a heading that answers "can anything be passed through here at all?",
// then one block for each group.
import type { Paint } from './paint.ts';
import type { GroupReport, MachineReport, MemberReport } from './report.ts';
import { tableLines } from './table.ts';

function yesNo(value: boolean | null, paint: Paint): string {
  if (value === null) return paint('busy', 'unknown');
  return value ? paint('good', 'yes') : paint('bad', 'no');
}

/** Heading: the facts of the machine. */
export function headingLines(report: MachineReport, paint: Paint): readonly string[] {
  const releasable = report.groups.filter((group) => group.releasable).length;
  const drivers = report.vfioDrivers.join(', ') || paint('bad', 'none loaded');
  const iommu = report.iommu.join(', ') || paint('bad', 'none active');
  return [
    `${paint('strong', 'Kernel')}               ${report.kernel ?? 'unknown'}`,
    `${paint('strong', 'IOMMU')}                ${iommu}`,
    `${paint('strong', 'Interrupt remapping')}  ${yesNo(report.interruptRemapping, paint)}`,
    `${paint('strong', 'Ownership accounting')} ${yesNo(report.ownershipAccounting, paint)}`,
    `${paint('strong', 'VFIO drivers')}         ${drivers}`,
    `${paint('strong', 'Groups')}               ${report.groups.length}, ${releasable} releasable now`,
  ];
}

function memberCells(member: MemberReport, paint: Paint): readonly string[] {
  const driver = member.driver ?? paint('dim', '-');
  return [member.address, member.id, member.description, driver];
}

function why(group: GroupReport): string {
  const first = group.blockers[0];
  if (first === undefined) return '';
  const more = group.blockers.length > 1 ? ` (+${group.blockers.length - 1} more)` : '';
  // The address stands in the row already.
  return `${first.kind}: ${first.message.slice(first.address.length + 1)}${more}`;
}

function groupRows(group: GroupReport, paint: Paint): readonly (readonly string[])[] {
  const releasable = group.releasable ? paint('good', 'yes') : paint('bad', 'no');
  return group.members.map((member, index) => {
    const cells = memberCells(member, paint);
    return index === 0
      ? [String(group.group), group.owner, releasable, ...cells, why(group)]
      : ['', '', '', ...cells, ''];
  });
}

const columns = [
  ...[{ heading: 'GROUP' }, { heading: 'OWNER' }, { heading: 'RELEASABLE' }, { heading: 'DEVICE' }],
  ...[{ heading: 'ID' }, { heading: 'CLASS' }, { heading: 'DRIVER' }, { heading: 'WHY NOT' }],
];

/** The whole report. */
export function machineLines(report: MachineReport, paint: Paint): readonly string[] {
  const lines = [...headingLines(report, paint)];
  if (report.groups.length > 0) {
    const rows = report.groups.flatMap((group) => groupRows(group, paint));
    lines.push('', ...tableLines(columns, rows));
    lines.push('', paint('dim', 'wholegroup explain ADDRESS tells every reason for one device, and what to do.'));
  }
  for (const { path, why: problem } of report.unreadable) {
    lines.push(paint('bad', `could not read ${path}: ${problem}; what it holds is missing above`));
  }
  return report.iommu.length > 0 ? lines : [...lines, '', ...noIommuLines(report, paint)];
}

/** What to do on a machine without an IOMMU. */
export function noIommuLines(report: MachineReport, paint: Paint): readonly string[] {
  const functions = report.ungrouped.length;
  return [
    paint('bad', 'No IOMMU is active on this machine, so no device can be passed through safely.'),
    `${functions} PCI function${functions === 1 ? ' has' : 's have'} no IOMMU group. To turn it on:`,
    '  1. enable VT-d (Intel), AMD-Vi / IOMMU (AMD) or SMMU (Arm) in the firmware,',
    '  2. on Intel, boot with intel_iommu=on (and iommu=pt if the host needs full DMA speed),',
    '  3. check with: ls /sys/class/iommu',
    'A virtual machine needs a virtual IOMMU from its hypervisor (QEMU: -device intel-iommu,intremap=on).',
  ];
}
