// A machine's groups as a person wants to see them: which could be given away, and why the others cannot.
import { valueOr } from '../../base/known.ts';
import { type Blocker, judge } from '../../ownership/blockers.ts';
import type { GroupLook } from '../../ownership/look.ts';
import { type Owner, ownerOf } from '../../ownership/owner.ts';
import { className } from '../../pci/class-names.ts';
import { isBridge, type PciFunction } from '../../pci/function.ts';
import { defaultLeader, type GroupMember } from '../../pci/group.ts';
import type { Inventory, NodeFacts } from '../../pci/inventory.ts';

/** One member, for output. */
export interface MemberReport {
  readonly address: string;
  readonly id: string;
  readonly class: string;
  readonly description: string;
  readonly driver: string | null;
  readonly role: 'endpoint' | 'bridge' | 'other';
  readonly numaNode: number | null;
}

/** One group, for output. */
export interface GroupReport {
  readonly group: number;
  readonly leader: string | null;
  readonly owner: Owner;
  readonly releasable: boolean;
  readonly members: readonly MemberReport[];
  readonly blockers: readonly Blocker[];
}

/** A machine, for output. */
export interface MachineReport {
  readonly kernel: string | null;
  readonly iommu: readonly string[];
  readonly interruptRemapping: boolean | null;
  readonly ownershipAccounting: boolean | null;
  readonly vfioDrivers: readonly string[];
  readonly acsOverride: boolean | null;
  readonly groups: readonly GroupReport[];
  /** Functions without an IOMMU group. */
  readonly ungrouped: readonly string[];
  readonly unreadable: Inventory['unreadable'];
}

/** The report of a machine. Nobody's policy is asked: consent is not missing, only facts count. */
export function machineReport(
  node: NodeFacts,
  inventory: Inventory,
  looks: readonly GroupLook[],
): MachineReport {
  return {
    kernel: valueOr(node.kernelRelease, null),
    iommu: valueOr(node.iommuUnits, []),
    interruptRemapping: valueOr<boolean | null>(node.interruptRemapping, null),
    ownershipAccounting: valueOr<boolean | null>(node.ownershipAccounting, null),
    vfioDrivers: valueOr(node.vfioDrivers, []),
    acsOverride: valueOr<boolean | null>(node.acsOverride, null),
    groups: looks.map((look) => groupReport(node, look)),
    ungrouped: inventory.functions
      .filter((fn) => fn.groupNumber.known && fn.groupNumber.value === null)
      .map((fn) => fn.address),
    unreadable: inventory.unreadable,
  };
}

/** The report of one group. */
export function groupReport(node: NodeFacts, look: GroupLook): GroupReport {
  const blockers = judge({ look, node, consent: null, pending: new Map(), cordoned: null });
  return {
    group: look.group.number,
    leader: defaultLeader(look.group),
    owner: ownerOf(look.group, look.inside),
    releasable: blockers.length === 0,
    members: look.group.members.map(memberReport),
    blockers,
  };
}

function memberReport(member: GroupMember): MemberReport {
  if (member.kind === 'other') {
    const driver = valueOr(member.driver, '?');
    const bus = valueOr(member.bus, null) ?? 'unknown bus';
    return {
      ...{ address: member.name, id: '', class: '', description: `${bus} device`, driver },
      ...{ role: 'other' as const, numaNode: null },
    };
  }
  const { fn } = member;
  const classCode = valueOr(fn.classCode, '');
  return {
    address: fn.address,
    id: idOf(fn),
    class: classCode,
    description: classCode === '' ? 'unknown class' : className(classCode),
    driver: valueOr(fn.driver, '?'),
    role: isBridge(fn) ? 'bridge' : 'endpoint',
    numaNode: valueOr(fn.numaNode, null),
  };
}

function idOf(fn: PciFunction): string {
  return fn.ids.known ? `${fn.ids.value.vendor}:${fn.ids.value.device}` : '????:????';
}
