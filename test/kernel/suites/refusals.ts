// Machines and kernels on which nothing may be given away: no IOMMU, no interrupt remapping, no accounting for DMA
// ownership. The agent offers nothing, says why, and touches nothing.
import { boots } from '../guest/flow/scenes/index.ts';
import { shapes } from '../rig/shapes.ts';
import { judgeScenes, playBoot } from './flow-runs.ts';
import type { Suite } from './judgement.ts';

const refusing = [
  { name: '5.10', boot: 'no accounting', shape: shapes.agent },
  { name: '6.12', boot: 'no interrupt remapping', shape: shapes['no-interrupt-remapping'] },
  { name: '6.12', boot: 'no IOMMU', shape: shapes['no-iommu'] },
] as const;

/** The suite. */
export const refusals: Suite = (rig) =>
  refusing.map(({ name, boot, shape }) => ({
    kernel: name,
    title: boot,
    play: async (t, kernel) =>
      judgeScenes(t, name, boots[boot], await playBoot({ rig, kernel, boot, shape })),
  }));
