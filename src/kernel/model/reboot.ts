// The machine that comes back from a reboot, as data: the hardware that is plugged in now, without what
// user space and the last kernel had done to it.
import type { Machine } from './machine.ts';
import type { DeviceSpec, MachineSpec } from './spec.ts';

/** A new number for every group that had a fixed one. */
function renumbering(machine: Machine): ReadonlyMap<number, number> {
  const numbers = [...machine.groups.keys()].sort((a, b) => a - b);
  const shuffled = [...numbers];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = machine.random.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j] as number, shuffled[i] as number];
  }
  return new Map(numbers.map((number, i) => [number, shuffled[i] as number]));
}

/** Fresh hardware: VFs are made again by whoever wants them. */
function fresh(spec: DeviceSpec, group: number | null): DeviceSpec {
  const sriov = spec.sriov === null ? null : { ...spec.sriov, numVfs: 0, vfs: [] };
  return { ...spec, group, bound: null, override: null, sriov };
}

/** The specification to boot next. */
export function rebootedSpec(
  machine: Machine,
  how: { readonly bootId: string; readonly renumber?: boolean },
): MachineSpec {
  const numbers = how.renumber === true ? renumbering(machine) : null;
  const plugged = [...machine.devices.values()]
    .filter((device) => device.physfn === null)
    .map(({ spec, group }) => {
      const renumbered = group === null || numbers === null ? undefined : numbers.get(group.id);
      return fresh(spec, renumbered ?? spec.group);
    });
  const devices = [
    ...plugged,
    ...[...machine.hidden.values()].map((spec) => fresh(spec, spec.group)),
  ];
  return { ...machine.spec, bootId: how.bootId, devices };
}
