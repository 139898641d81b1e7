// The judgement: every reason why a group cannot be released from the host now. No reasons = releasable.
// What is unknown is a reason of its own (R7); a waived kind is left out here and nowhere else.
import type { Known } from '../base/known.ts';
import type { PciAddress } from '../pci/address.ts';
import { isBridge, type MemberDetail, type PciFunction } from '../pci/function.ts';
import { endpoints, type IommuGroup, memberName, pciFunctions } from '../pci/group.ts';
import type { NodeFacts } from '../pci/inventory.ts';
import { blockerCatalogue, type BlockerKind } from './catalogue.ts';
import type { Consent } from './consent.ts';
import type { GroupLook } from './look.ts';
import { stanceOf } from './neutral.ts';
import type { Evidence, HostUse, HostUseKind, Inside } from './use.ts';

/** One reason, ready for a status, an Event or a terminal. */
export interface Blocker {
  readonly kind: BlockerKind;
  /** The member it is about: PCI address, or device name of a member on another bus. */
  readonly address: string;
  /** One sentence: what is so. */
  readonly message: string;
  readonly evidence: Evidence;
  /** One sentence: what to do. */
  readonly remedy: string;
}

/** What a judgement is made from. */
export interface Judgement {
  readonly look: GroupLook;
  readonly node: NodeFacts;
  /** What the policy permits; null while no policy wants the group (then nobody's consent is missing). */
  readonly consent: Consent | null;
  /** Members with an operation still blocked in the kernel, and which. */
  readonly pending: ReadonlyMap<PciAddress, string>;
  /** The admin took the group out of service; the reason. */
  readonly cordoned: string | null;
}

/** A blocker of `kind`, worded by the catalogue. */
export function blocker(
  kind: BlockerKind,
  address: string,
  subject: string,
  evidence: Evidence,
): Blocker {
  const entry = blockerCatalogue[kind];
  return {
    kind,
    address,
    message: `${address} ${entry.says.replace('{}', subject)}`,
    evidence,
    remedy: entry.remedy,
  };
}

/** The subject of a blocker (`dm-0 on /`): what its message says beyond the words of its kind. */
export function subjectOf({ kind, address, message }: Blocker): string {
  const [before = '', after = ''] = blockerCatalogue[kind].says.split('{}');
  return message.slice(address.length + 1 + before.length, message.length - after.length);
}

/**
 * Every reason against releasing the group, in the order: person, machine, group, members, who is inside, uses;
 * of the uses those first that no policy can waive, so that the first tells the worst. Empty: releasable.
 */
export function judge(judgement: Judgement): readonly Blocker[] {
  const { look, node, consent } = judgement;
  const name = groupName(look.group);
  return [
    ...cordon(judgement.cordoned, name),
    ...machineBlockers(node, name, consent),
    ...groupBlockers(look.group, name),
    ...look.group.members.flatMap((member) =>
      member.kind === 'other'
        ? [nonPci(member.name, look.group.number)]
        : memberBlockers(member.fn, detailOf(look, member.fn.address), judgement),
    ),
    ...insideBlockers(look.inside, name),
    ...useBlockers(look.uses, consent),
  ];
}

function groupName(group: IommuGroup): string {
  const first = endpoints(group)[0] ?? pciFunctions(group)[0];
  return (
    first?.address ?? (group.members[0] ? memberName(group.members[0]) : `group ${group.number}`)
  );
}

function detailOf(look: GroupLook, address: PciAddress): MemberDetail | undefined {
  return look.details.find((detail) => detail.address === address);
}

function cordon(reason: string | null, name: string): Blocker[] {
  if (reason === null) return [];
  const says = reason === '' ? 'no reason given' : reason;
  return [blocker('Cordoned', name, says, { path: 'spec.cordoned', says: 'true' })];
}

/** Adds what a Known says when it is not as it must be; the unknown is always a reason. */
function require<T>(
  fact: Known<T>,
  name: string,
  whenKnown: (value: T) => Blocker | null,
): Blocker[] {
  if (!fact.known) return [unknownFact(name, fact.path, fact.why)];
  const found = whenKnown(fact.value);
  return found === null ? [] : [found];
}

function unknownFact(name: string, path: string, why: string): Blocker {
  return blocker('UnknownFact', name, `${path}: ${why}`, { path, says: why });
}

/** Reasons that hold for every group of the machine alike; `name` is what they are told about. */
export function machineBlockers(node: NodeFacts, name: string, consent: Consent | null): Blocker[] {
  const none = { path: '/sys/class/iommu', says: 'empty' };
  const symbols = { path: '/proc/kallsyms', says: 'no iommu_group_claim_dma_owner' };
  const chips = { path: '/proc/interrupts', says: 'no IR- interrupt chips' };
  const absentNodes = { path: '/dev/vfio/vfio', says: 'ENOENT' };
  const wanted = consent?.vfioDriver ?? 'vfio-pci';
  return [
    ...require(node.iommuUnits, name, (units) =>
      units.length > 0 ? null : blocker('IommuAbsent', name, 'no IOMMU is active', none)),
    ...require(node.ownershipAccounting, name, (has) =>
      has ? null : blocker('OwnershipAccountingAbsent', name, 'Linux before 5.19', symbols)),
    ...interruptBlockers(node, name, chips),
    ...require(node.vfioDrivers, name, (loaded) =>
      loaded.includes(wanted)
        ? null
        : blocker('VfioDriverNotLoaded', name, wanted, {
            path: `/sys/bus/pci/drivers/${wanted}`,
            says: 'ENOENT',
          })),
    ...accessBlockers(node, name, consent, absentNodes),
  ];
}

function interruptBlockers(node: NodeFacts, name: string, evidence: Evidence): Blocker[] {
  if (node.unsafeInterruptsAllowed.known && node.unsafeInterruptsAllowed.value) return [];
  return require(node.interruptRemapping, name, (on) =>
    on ? null : blocker('InterruptRemappingOff', name, 'no IR- chips', evidence));
}

function accessBlockers(
  node: NodeFacts,
  name: string,
  consent: Consent | null,
  absent: Evidence,
): Blocker[] {
  const access = consent?.access ?? 'Auto';
  if (access === 'Cdev') {
    return require(node.iommufd, name, (has) =>
      has
        ? null
        : blocker('VfioAccessUnavailable', name, 'access: Cdev, but /dev/iommu is absent', {
            path: '/dev/iommu',
            says: 'ENOENT',
          }));
  }
  const wanted = consent?.vfioDriver ?? 'vfio-pci';
  // Its driver brings the node along: one cause is told once.
  if (node.vfioDrivers.known && !node.vfioDrivers.value.includes(wanted)) return [];
  return require(node.vfioContainer, name, (has) => {
    if (has || (access === 'Auto' && node.iommufd.known && node.iommufd.value)) return null;
    return blocker('VfioAccessUnavailable', name, '/dev/vfio/vfio is absent', absent);
  });
}

function groupBlockers(group: IommuGroup, name: string): Blocker[] {
  const folder = `/sys/kernel/iommu_groups/${group.number}`;
  return [
    ...require(group.name, name, (text) =>
      text === 'vfio-noiommu'
        ? blocker('NoiommuGroup', name, `group ${group.number}`, {
            path: `${folder}/name`,
            says: text,
          })
        : null),
    ...require(group.reservedRegions, name, (regions) => {
      const direct = regions.find((region) => region.type === 'direct');
      if (direct === undefined) return null;
      const says = `${direct.startHex}-${direct.endHex} ${direct.type}`;
      return blocker('FirmwareMappedRegion', name, says, {
        path: `${folder}/reserved_regions`,
        says,
      });
    }),
    ...(endpoints(group).length > 0
      ? []
      : [
          blocker('NoEndpoint', name, 'only bridges', {
            path: `${folder}/devices`,
            says: group.key,
          }),
        ]),
  ];
}

function nonPci(name: string, groupNumber: number): Blocker {
  const path = `/sys/kernel/iommu_groups/${groupNumber}/devices/${name}`;
  return blocker('NonPciMember', name, name, { path, says: name });
}

function memberBlockers(
  fn: PciFunction,
  detail: MemberDetail | undefined,
  { consent, pending }: Judgement,
): Blocker[] {
  const folder = `/sys/bus/pci/devices/${fn.address}`;
  const stance = stanceOf(fn);
  const found: Blocker[] = [];
  const waiting = pending.get(fn.address);
  if (waiting !== undefined) {
    found.push(blocker('ReleasePending', fn.address, waiting, { path: folder, says: waiting }));
  }
  for (const fact of [fn.ids, fn.classCode, fn.driver, fn.vfioDevice, fn.enableCount]) {
    if (!fact.known) found.push(unknownFact(fn.address, fact.path, fact.why));
  }
  if (isBridge(fn)) {
    if (stance === 'Kernel' && fn.driver.known) {
      const says = fn.driver.value ?? '';
      found.push(blocker('BridgeHeld', fn.address, says, { path: `${folder}/driver`, says }));
    }
    return found;
  }
  if (consent !== null && !consent.permits(fn.address)) {
    const says = `companions: ${consent.companions}`;
    found.push(blocker('CompanionNotPermitted', fn.address, says, { path: folder, says }));
  }
  if (detail === undefined)
    return [...found, unknownFact(fn.address, folder, 'no close look was possible')];
  return [...found, ...detailBlockers(detail, fn.address, consent)];
}

function detailBlockers(
  detail: MemberDetail,
  address: PciAddress,
  consent: Consent | null,
): Blocker[] {
  const folder = `/sys/bus/pci/devices/${address}`;
  const unbind = { path: `${folder}/driver/unbind`, says: 'ENOENT' };
  return [
    ...require(detail.driverOverride, address, () => null),
    ...require(detail.accessible, address, (yes) =>
      yes
        ? null
        : blocker('DeviceInaccessible', address, 'configuration space reads all ones', {
            path: `${folder}/config`,
            says: 'ffffffff',
          })),
    ...require(detail.unbindForbidden, address, (forbidden) =>
      forbidden === true
        ? blocker('DriverNotReleasable', address, 'no unbind file', unbind)
        : null),
    ...require(detail.leavingDriver, address, (driver) =>
      driver === null
        ? null
        : blocker('ReleasePending', address, `unbind ${driver} from`, {
            path: `${folder}/uevent`,
            says: `DRIVER=${driver}`,
          })),
    ...require(detail.resetMethods, address, (methods) =>
      methods.length > 0 || consent?.reset !== 'Required'
        ? null
        : blocker('ResetUnavailable', address, 'reset: Required, but it has no reset method', {
            path: `${folder}/reset_method`,
            says: 'none',
          })),
  ];
}

function insideBlockers(inside: Inside, name: string): Blocker[] {
  if (inside.kind === 'nobody') return [];
  const kind = inside.kind === 'someone' ? 'ForeignVfioUser' : 'UnknownUse';
  return inside.evidence.map((evidence) => blocker(kind, name, evidence.says, evidence));
}

function useBlockers(uses: readonly HostUse[], consent: Consent | null): Blocker[] {
  const waived = (kind: HostUseKind): boolean =>
    blockerCatalogue[kind].waivable && consent !== null && consent.waive.includes(kind);
  return uses
    .filter((use) => !waived(use.kind))
    .sort((a, b) => weight(a.kind) - weight(b.kind))
    .map((use) => blocker(use.kind, use.address, use.subject, use.evidence));
}

/** What nobody can waive before what is not known, and both before what a policy could pass over. */
function weight(kind: HostUseKind): number {
  if (kind === 'UnknownUse') return 1;
  return blockerCatalogue[kind].waivable ? 2 : 0;
}
