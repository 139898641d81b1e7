// What an engineer keeps in mind before a group is taken although nothing keeps it: drivers that let go badly, and
// functions that cannot be reset. For people only; nothing is decided by it.
import type { MemberReport } from './member-report.ts';

/** Drivers whose unbind is known to go wrong, and how. */
const badLosers: readonly { readonly drivers: readonly string[]; readonly how: string }[] = [
  {
    drivers: ['nvidia'],
    how: 'waits in its unbind for ever while anything holds the GPU: stop nvidia-persistenced, DCGM and display servers first, or bind vfio-pci at boot',
  },
  {
    drivers: ['amdgpu', 'radeon', 'i915', 'xe', 'nouveau'],
    how: 'may leave a console on this GPU dead when it is unbound, and some of its cards do not survive a second start: try it once before pods depend on it',
  },
];

/** One sentence for each caution about a group of these members, on a kernel of this release (null: not known). */
export function cautionsFor(
  members: readonly MemberReport[],
  kernelRelease: string | null,
): readonly string[] {
  const endpoints = members.filter((member) => member.role === 'endpoint');
  return [
    ...badLosers.flatMap((loser) => driverCautions(endpoints, loser)),
    ...resetCautions(endpoints),
    ...bridgeCautions(members, kernelRelease),
  ];
}

/** Seen on Linux 6.1.192, not on 6.12 and later: docs/reference/kernel-suites.md. */
function bridgeCautions(
  members: readonly MemberReport[],
  kernelRelease: string | null,
): readonly string[] {
  if (kernelRelease === null || !kernelRelease.startsWith('6.1.')) return [];
  return members
    .filter(({ role, driver }) => role === 'bridge' && driver !== 'pcieport')
    .map(
      ({ address }) =>
        `${address}: with an Intel IOMMU Linux 6.1 may stop in a bug of its own when this group is let go after something was plugged in or out behind the bridge: leave the slots behind it as they are, or run a newer Linux.`,
    );
}

function driverCautions(
  endpoints: readonly MemberReport[],
  { drivers, how }: (typeof badLosers)[number],
): readonly string[] {
  return endpoints
    .filter(({ driver }) => driver !== null && drivers.includes(driver))
    .map(({ address, driver }) => `${address}: the driver ${driver} ${how}.`);
}

function resetCautions(endpoints: readonly MemberReport[]): readonly string[] {
  const stuck = endpoints
    .filter(({ resetMethods }) => resetMethods?.length === 0)
    .map(({ address }) => address);
  if (stuck.length === 0) return [];
  const named = `${stuck.join(', ')} cannot be reset by ${stuck.length === 1 ? 'itself' : 'themselves'}`;
  return [
    `${named}: what one pod leaves there, the next one finds; "reset: Required" in the policy refuses it.`,
  ];
}
