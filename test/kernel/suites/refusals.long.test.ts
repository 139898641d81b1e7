// Machines and kernels on which nothing may be given away: no IOMMU, no interrupt remapping, no accounting for DMA
// ownership. The agent offers nothing, says why, and touches nothing.
import { describe, test } from 'node:test';
import { boots } from '../guest/flow/scenes/index.ts';
import { shapes } from '../rig/shapes.ts';
import { judgeScenes, playBoot } from './flow-runs.ts';
import { kernelOf, sideBySide, suiteRig } from './setup.ts';

const refusing = [
  { name: '5.10', boot: 'no accounting', shape: shapes.agent },
  { name: '6.12', boot: 'no interrupt remapping', shape: shapes['no-interrupt-remapping'] },
  { name: '6.12', boot: 'no IOMMU', shape: shapes['no-iommu'] },
] as const;

const rig = await suiteRig();

describe('machines on which nothing may be given away', { concurrency: sideBySide }, () => {
  for (const { name, boot, shape } of refusing) {
    test(`${name}: ${boot}`, async (t) => {
      const kernel = kernelOf(rig, name);
      if (typeof kernel === 'string') return t.skip(kernel);
      await judgeScenes(t, name, boots[boot], await playBoot({ rig, kernel, boot, shape }));
    });
  }
});
