// One device explained: where it stands, every reason against giving its group away with evidence and remedy, and
// what would happen if a pod got it.
import type { Blocker } from '../../ownership/blockers.ts';
import { isWaivable } from '../../ownership/catalogue.ts';
import type { Owner } from '../../ownership/owner.ts';
import type { ClaimPreview } from '../claim-preview.ts';
import { claimLines, type Twins } from './claim.ts';
import type { MemberReport } from './member-report.ts';
import type { Paint } from './paint.ts';
import { narrowing, selectedIn } from './policy-sketch.ts';
import { type GroupReport, type MachineReport, splitBlockers } from './report.ts';

/** Everything that an explanation is made from. */
export interface Explained {
  readonly address: string;
  readonly group: GroupReport;
  readonly machine: MachineReport;
  readonly preview: ClaimPreview | null;
}

const ownerWords: Readonly<Record<Owner, string>> = {
  Kernel: 'owned by drivers of the kernel',
  None: 'owned by nobody: no driver of the kernel has it, and nobody is inside',
  Userspace: 'owned by userspace: a program has it open through VFIO',
  Mixed:
    'mixed: some members are on VFIO, others on drivers of the kernel; no program can open it like that',
};

function driverText({ driver, driverOverride, vfioDevice }: MemberReport): string {
  const bound =
    driver === null ? 'no driver' : driver === '?' ? 'driver unknown' : `driver ${driver}`;
  const file = vfioDevice === null ? '' : ` (${vfioDevice})`;
  return `${bound}${file}${driverOverride === null ? '' : `, driver_override ${driverOverride}`}`;
}

function memberLines(group: GroupReport, address: string, paint: Paint): readonly string[] {
  const width = Math.max(...group.members.map((member) => member.description.length));
  return group.members.map((member, index) => {
    const branch = index === group.members.length - 1 ? '└─' : '├─';
    const name = member.address === address ? paint('strong', member.address) : member.address;
    const role = member.role === 'bridge' ? paint('dim', ', stays with the host') : '';
    const id = member.id === '' ? '' : `${member.id}  `;
    return `  ${branch} ${name}  ${id}${member.description.padEnd(width)}  ${driverText(member)}${role}`;
  });
}

function headLines({ address, group, preview }: Explained, paint: Paint): readonly string[] {
  const count = group.members.length;
  const others = count === 1 ? 'alone' : `with ${count - 1} other${count === 2 ? '' : 's'}`;
  const head = `${paint('strong', address)} is in IOMMU group ${group.group}, ${others}; ${ownerWords[group.owner]}.`;
  const lines = [head, ...memberLines(group, address, paint)];
  if (count > 1) {
    lines.push('The IOMMU cannot tell them apart: they leave the host together, or not at all.');
  }
  return preview === null ? lines : [...lines, ...companionLines(preview)];
}

const noAcs =
  'Nothing between these slots keeps their DMA apart (ports without ACS, or a bridge to conventional PCI); another slot of the board may.';

function companionLines({ companions, primary }: ClaimPreview): readonly string[] {
  const { sameSlot, otherSlots } = companions;
  const along = (addresses: readonly string[]): string =>
    `${addresses.join(', ')} ${addresses.length === 1 ? 'comes' : 'come'} along with ${primary}`;
  return [
    ...(sameSlot.length === 0
      ? []
      : [`${along(sameSlot)}: the same slot, which "companions: SameSlot" (the default) permits.`]),
    ...(otherSlots.length === 0
      ? []
      : [
          `${along(otherSlots)}: other slots, which a policy permits with "companions: Any" or "Listed" only.`,
          noAcs,
        ]),
  ];
}

function blockerLines(blocker: Blocker, number: number, paint: Paint): readonly string[] {
  const indent = ' '.repeat(String(number).length + 4);
  return [
    `  ${number}. ${paint('bad', blocker.kind)}: ${blocker.message}`,
    `${indent}${paint('dim', 'evidence')}  ${blocker.evidence.path} says "${blocker.evidence.says}"`,
    `${indent}${paint('dim', 'remedy')}    ${blocker.remedy}`,
  ];
}

/** Which of the reasons a policy could pass over. */
function waiveLines(blockers: readonly Blocker[]): readonly string[] {
  const kinds = [...new Set(blockers.map(({ kind }) => kind))];
  const open = kinds.filter(isWaivable);
  const final = kinds.filter((kind) => !isWaivable(kind));
  if (open.length === 0) return ['', 'No policy can pass over this.'];
  const may = `A policy may pass over ${open.join(', ')} (waive: [${open.join(', ')}])`;
  return [
    '',
    final.length === 0
      ? `${may}, if the host can do without.`
      : `${may}, but not over ${final.join(', ')}.`,
  ];
}

function reasonCount(count: number): string {
  return count === 1 ? 'one reason' : `${count} reasons`;
}

/** The explanation as lines. */
export function explanationLines(explained: Explained, paint: Paint): readonly string[] {
  const { group, machine, preview } = explained;
  const { own, wide } = splitBlockers(group, machine.machineBlockers);
  const lines = [...headLines(explained, paint), ''];
  const reasons = [...own, ...wide];
  if (reasons.length > 0) {
    lines.push(paint('bad', `It cannot be released now, for ${reasonCount(reasons.length)}:`));
    lines.push(...own.flatMap((blocker, index) => blockerLines(blocker, index + 1, paint)));
    if (wide.length > 0 && own.length > 0) lines.push('  and for the whole machine:');
    lines.push(
      ...wide.flatMap((blocker, index) => blockerLines(blocker, own.length + index + 1, paint)),
    );
  }
  if (own.length > 0) return [...lines, ...waiveLines(own)];
  const opening =
    wide.length > 0 ? 'Once that is put right, it can be released' : 'It can be released now';
  if (preview === null) return wide.length > 0 ? lines : [...lines, paint('good', `${opening}.`)];
  if (wide.length > 0) lines.push('');
  return [...lines, ...claimLines(preview, opening, twinsOf(explained), paint)];
}

/** Other groups of the machine that the sketched policy selects as well, and how to leave them out. */
function twinsOf({ group, machine, preview }: Explained): Twins {
  const primary = group.members.find((member) => member.address === preview?.primary);
  if (primary === undefined) return { count: 0, narrowing: '' };
  const selected = selectedIn(group.members, primary);
  const others = machine.groups.filter(
    (other) =>
      other.group !== group.group && selectedIn(other.members, primary).length === selected.length,
  );
  return { count: others.length, narrowing: narrowing(selected) };
}
