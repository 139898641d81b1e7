// Every scene, by the boots on which they are played.
import type { Scene } from '../scene.ts';
import { claimScenes } from './claims.ts';
import { fileScenes } from './files.ts';
import { hungScenes } from './hung.ts';
import { killScenes } from './kills.ts';
import { accountingAbsent, interruptRemappingOff, iommuAbsent } from './refusals.ts';
import { afterReboot, beforeReboot } from './reboot.ts';
import { surpriseScenes } from './surprises.ts';

/** Scenes of one boot each, by name. */
export const boots = {
  claims: [...claimScenes, ...surpriseScenes],
  kills: killScenes,
  hung: hungScenes,
  files: fileScenes,
  'before a reboot': [beforeReboot],
  'after a reboot': [afterReboot],
  'no interrupt remapping': [interruptRemappingOff],
  'no IOMMU': [iommuAbsent],
  'no accounting': [accountingAbsent],
} as const satisfies Readonly<Record<string, readonly Scene[]>>;

/** One of these boots. */
export type FlowBoot = keyof typeof boots;
