// Small builders of observed groups for the tests of the pure rooms.
import { known } from '../../src/base/known.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import type { GroupRecord, RecordedMember } from '../../src/ownership/record.ts';
import type { HostUse, Inside } from '../../src/ownership/use.ts';
import { isPciAddress, type PciAddress } from '../../src/pci/address.ts';
import type { MemberDetail, PciFunction } from '../../src/pci/function.ts';
import { type GroupMember, groupKeyOf, type IommuGroup, memberName } from '../../src/pci/group.ts';
import type { NodeFacts } from '../../src/pci/inventory.ts';

/** An address literal; throws when it is none. */
export function address(text: string): PciAddress {
  if (!isPciAddress(text)) throw new Error(`${text} is not an address`);
  return text;
}

/** What a test says about a function; the rest is an e1000 bound to nothing. */
export interface FnOptions {
  readonly driver?: string | null;
  readonly vfio?: string | null;
  readonly classCode?: string;
  readonly vendor?: string;
  readonly device?: string;
  readonly numaNode?: number | null;
  readonly enable?: number;
  readonly group?: number;
  readonly pf?: string;
}

/** A PCI function. `vfio-pci` gets a VFIO device unless told otherwise. */
export function fn(at: string, options: FnOptions = {}): PciFunction {
  const driver = options.driver ?? null;
  const vfio = options.vfio === undefined ? (driver === 'vfio-pci' ? 'vfio0' : null) : options.vfio;
  return {
    address: address(at),
    ids: known({
      vendor: options.vendor ?? '8086',
      device: options.device ?? '100e',
      subsystemVendor: '1af4',
      subsystemDevice: '1100',
    }),
    classCode: known(options.classCode ?? '020000'),
    driver: known(driver),
    vfioDevice: known(vfio),
    groupNumber: known(options.group ?? 1),
    numaNode: known(options.numaNode ?? null),
    enableCount: known(options.enable ?? 0),
    physicalFunction: known(options.pf === undefined ? null : address(options.pf)),
    virtualFunctions: known([]),
    upstream: [],
    entries: new Set(),
  };
}

/** A group of these functions (and other members). */
export function group(
  functions: readonly PciFunction[],
  options: {
    readonly number?: number;
    readonly others?: readonly GroupMember[];
    readonly name?: string;
  } = {},
): IommuGroup {
  const members: GroupMember[] = [
    ...functions.map((one): GroupMember => ({ kind: 'pci', fn: one })),
    ...(options.others ?? []),
  ];
  return {
    key: groupKeyOf(members.map(memberName)),
    number: options.number ?? 1,
    members,
    name: known(options.name ?? null),
    domainType: known('DMA'),
    reservedRegions: known([]),
  };
}

/** Details of an ordinary member. */
export function detail(
  at: string,
  override: string | null = null,
  reset: readonly string[] = ['flr'],
): MemberDetail {
  return {
    address: address(at),
    driverOverride: known(override),
    accessible: known(true),
    resetMethods: known(reset),
    unbindForbidden: known(false),
    leavingDriver: known(null),
  };
}

/** A close look at a group. */
export function look(
  of: IommuGroup,
  options: {
    readonly details?: readonly MemberDetail[];
    readonly uses?: readonly HostUse[];
    readonly inside?: Inside;
  } = {},
): GroupLook {
  const functions = of.members.flatMap((member) => (member.kind === 'pci' ? [member.fn] : []));
  return {
    group: of,
    details: options.details ?? functions.map((one) => detail(one.address)),
    uses: options.uses ?? [],
    inside: options.inside ?? { kind: 'nobody' },
  };
}

/** A machine on which everything is possible. */
export const goodNode: NodeFacts = {
  bootId: known('boot-1'),
  kernelRelease: known('6.12.0'),
  iommuUnits: known(['dmar0']),
  interruptRemapping: known(true),
  ownershipAccounting: known(true),
  unsafeInterruptsAllowed: known(false),
  vfioDrivers: known(['vfio-pci']),
  vfioContainer: known(true),
  iommufd: known(false),
  acsOverride: known(false),
};

/** A recorded member. */
export function recorded(at: string, options: Partial<RecordedMember> = {}): RecordedMember {
  return {
    address: address(at),
    role: 'primary',
    vendor: '8086',
    device: '100e',
    originalDriver: 'e1000',
    originalOverride: null,
    ...options,
  };
}

/** A record of these members. */
export function record(
  members: readonly RecordedMember[],
  options: Partial<GroupRecord> = {},
): GroupRecord {
  const first = members[0];
  if (first === undefined) throw new Error('a record has members');
  return {
    key: groupKeyOf(members.map((member) => member.address)),
    leader: first.address,
    groupNumber: 1,
    bootId: 'boot-1',
    phase: 'Claiming',
    members,
    resourceName: 'example.com/nic',
    policyName: 'nic',
    vfioDriver: 'vfio-pci',
    reset: 'Preferred',
    nodeOwner: null,
    lease: null,
    resetDue: false,
    answer: null,
    ...options,
  };
}
