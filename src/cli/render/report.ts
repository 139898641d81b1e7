// What inspect and explain know of a machine, as the data that `-o json` prints: which groups could be given away,
// and why the others cannot. Nobody's policy is asked. Fields are only ever added; null means not known or none,
// and what could not be read is listed beside it.
import { type Known, valueOr } from '../../base/known.ts';
import { type Blocker, judge, machineBlockers } from '../../ownership/blockers.ts';
import type { GroupLook } from '../../ownership/look.ts';
import { type Owner, ownerOf } from '../../ownership/owner.ts';
import { defaultLeader } from '../../pci/group.ts';
import type { Inventory, NodeFacts } from '../../pci/inventory.ts';
import { type MemberReport, memberReport } from './member-report.ts';

/** A fact that could not be had: the path that should have told, and what came instead. */
export interface UnreadFact {
  readonly path: string;
  readonly why: string;
}

/** One group, for output. */
export interface GroupReport {
  /** The kernel's number: today's name of /dev/vfio/N, and no key. */
  readonly group: number;
  readonly leader: string | null;
  readonly owner: Owner;
  readonly releasable: boolean;
  /** Type of the default domain (`DMA-FQ`, `identity`). */
  readonly domainType: string | null;
  /** Lines of reserved_regions: start, end, type. */
  readonly reservedRegions: readonly string[] | null;
  readonly members: readonly MemberReport[];
  /** Every reason, the machine's own among them, the worst use first. */
  readonly blockers: readonly Blocker[];
}

/** A machine, for output. */
export interface MachineReport {
  readonly kernel: string | null;
  /** Units of /sys/class/iommu; empty: no IOMMU is active; null: not known. */
  readonly iommu: readonly string[] | null;
  readonly interruptRemapping: boolean | null;
  readonly unsafeInterruptsAllowed: boolean | null;
  readonly ownershipAccounting: boolean | null;
  readonly vfioDrivers: readonly string[] | null;
  /** /dev/vfio/vfio, and /dev/iommu. */
  readonly vfioContainer: boolean | null;
  readonly iommufd: boolean | null;
  readonly acsOverride: boolean | null;
  /** Groups that could be released now. */
  readonly releasable: number;
  /** Reasons that hold for every group alike: they are among each group's blockers as well. */
  readonly machineBlockers: readonly Blocker[];
  readonly groups: readonly GroupReport[];
  /** Functions without an IOMMU group. */
  readonly ungrouped: readonly string[];
  /** Folders that could not be listed, and facts of the machine that could not be read. */
  readonly unreadable: readonly UnreadFact[];
}

/** How machine-wide reasons are addressed where no group is meant. */
const wholeMachine = 'this machine';

/** The report of a machine; groups in the order of their numbers. */
export function machineReport(
  node: NodeFacts,
  inventory: Inventory,
  looks: readonly GroupLook[],
): MachineReport {
  const groups = looks.map((look) => groupReport(node, look)).sort((a, b) => a.group - b.group);
  return {
    kernel: orNull(node.kernelRelease),
    iommu: orNull(node.iommuUnits),
    interruptRemapping: orNull(node.interruptRemapping),
    unsafeInterruptsAllowed: orNull(node.unsafeInterruptsAllowed),
    ownershipAccounting: orNull(node.ownershipAccounting),
    vfioDrivers: orNull(node.vfioDrivers),
    vfioContainer: orNull(node.vfioContainer),
    iommufd: orNull(node.iommufd),
    acsOverride: orNull(node.acsOverride),
    releasable: groups.filter((group) => group.releasable).length,
    machineBlockers: machineBlockers(node, wholeMachine, null),
    groups,
    ungrouped: inventory.functions
      .filter((fn) => fn.groupNumber.known && fn.groupNumber.value === null)
      .map((fn) => fn.address),
    unreadable: [...unreadFacts(node), ...inventory.unreadable],
  };
}

/** The report of one group. */
export function groupReport(node: NodeFacts, look: GroupLook): GroupReport {
  const blockers = judge({ look, node, consent: null, pending: new Map(), cordoned: null });
  const { group } = look;
  return {
    group: group.number,
    leader: defaultLeader(group),
    owner: ownerOf(group, look.inside),
    releasable: blockers.length === 0,
    domainType: orNull(group.domainType),
    reservedRegions: group.reservedRegions.known
      ? group.reservedRegions.value.map((r) => `${r.startHex} ${r.endHex} ${r.type}`)
      : null,
    members: group.members.map((member) =>
      memberReport(
        member,
        look.details.find(
          (detail) => member.kind === 'pci' && detail.address === member.fn.address,
        ),
      ),
    ),
    blockers,
  };
}

/** Splits a group's reasons: its own, and those that hold for the whole machine. */
export function splitBlockers(
  group: GroupReport,
  ofMachine: readonly Blocker[],
): { readonly own: readonly Blocker[]; readonly wide: readonly Blocker[] } {
  const key = (blocker: Blocker): string => `${blocker.kind} ${blocker.evidence.path}`;
  const wide = new Set(ofMachine.map(key));
  return {
    own: group.blockers.filter((blocker) => !wide.has(key(blocker))),
    wide: group.blockers.filter((blocker) => wide.has(key(blocker))),
  };
}

/** Whether nothing but bridges is in a group: there is nothing in it to hand out. */
export function isBridgesOnly(group: GroupReport): boolean {
  return group.members.every((member) => member.role === 'bridge');
}

function orNull<T>(fact: Known<T>): T | null {
  return valueOr<T | null>(fact, null);
}

function unreadFacts(node: NodeFacts): UnreadFact[] {
  return Object.values<Known<unknown>>({ ...node }).flatMap((fact) =>
    fact.known ? [] : [{ path: fact.path, why: fact.why }],
  );
}
