// A kernel script on the model of a kernel, for the suites that hold the two against each other.
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { transcriptMachine, type Variant } from '../../play/machine.ts';
import { Player } from '../../play/player.ts';
import { parseScript } from '../../play/script.ts';
import type { KernelName } from '../rig/wanted.ts';

/** What answers for a kernel. */
export interface ModelOf {
  readonly kernel: KernelName;
  readonly profile: KernelProfile;
  readonly variant: Variant;
}

/** The kernels that the model answers for, beside the one on which nothing may be given away. */
export const models: readonly ModelOf[] = [
  { kernel: '6.1', profile: '6.1', variant: 'acpi-hotplug' },
  { kernel: '6.12', profile: '6.12', variant: 'acpi-hotplug' },
  { kernel: '6.12-cdev', profile: '6.12', variant: 'cdev' },
  { kernel: 'newest', profile: '7.2', variant: 'acpi-hotplug' },
];

/** Lines that the script prints on the model. */
export async function linesOfModel(
  { profile, variant }: ModelOf,
  script: string,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const player = new Player(transcriptMachine(profile, variant), (line) => lines.push(line));
  await player.play(parseScript(script));
  return lines;
}
