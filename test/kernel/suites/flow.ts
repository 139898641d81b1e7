// The whole flow on real devices: the agent as it ships and a kubelet stand-in inside a guest, pods whose programs
// open groups through VFIO, and what goes wrong on the way. Each scene is a test; its figures are printed.
import assert from 'node:assert/strict';
import type { Scene } from '../guest/flow/scene.ts';
import { boots } from '../guest/flow/scenes/index.ts';
import { accountOf } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import type { Rig } from '../rig/rig.ts';
import { shapes } from '../rig/shapes.ts';
import type { KernelName } from '../rig/wanted.ts';
import { judgeScenes, playBoot } from './flow-runs.ts';
import type { Judgement, Suite } from './judgement.ts';
import { everywhere, onlyCore } from './setup.ts';

const kernels = ['6.1', '6.12', '6.12-cdev', 'newest'] as const;
/** Boots that take minutes are played on one kernel each, unless everything is asked for. */
const playedOn = {
  claims: ['6.1', '6.12', 'newest'],
  files: ['6.12-cdev'],
  kills: ['newest'],
  hung: ['6.12'],
  reboot: ['6.1'],
} as const satisfies Readonly<Record<string, readonly KernelName[]>>;
/** What of the claims is played on the other two kernels, unless everything is asked for. */
const claimsElsewhere = ['two functions', 'bridge is claimed', 'virtual function'];
/** Of the sixteen kills, three quarters of a minute each: one of a claim and its return that cuts early, two that cut late. */
const killsByDefault = ['during write 3 of', 'during write 6 of', 'before write 8 of'];
/** What CI has time for: one whole flow on one kernel, and one with files of devices. */
const core: Readonly<Partial<Record<KernelName, readonly string[]>>> = {
  '6.12': ['two functions', 'full disk', 'during write 3 of'],
  '6.12-cdev': ['files of a NIC'],
};
/** Boots of one guest, the longest first. */
const sceneBoots = ['claims', 'kills', 'hung', 'files'] as const;
type SceneBoot = (typeof sceneBoots)[number];
const keepMark = '@@KEEP ';

const isPlayed = (boot: keyof typeof playedOn, name: KernelName): boolean => {
  // Only one kernel has them.
  if ((boot === 'files') !== (name === '6.12-cdev')) return false;
  if (onlyCore) return core[name] !== undefined;
  return everywhere || playedOn[boot].some((each) => each === name);
};
const partsOn = (name: KernelName, boot: SceneBoot): readonly string[] => {
  if (onlyCore) return core[name] ?? [];
  if (everywhere) return [];
  if (boot === 'kills') return killsByDefault;
  return boot === 'claims' && name !== 'newest' ? claimsElsewhere : [];
};
const isChosen = ({ name }: Scene, parts: readonly string[]): boolean =>
  parts.length === 0 || parts.some((part) => name.includes(part));

/** A guest that plays the scenes of a boot; none where none of them was asked for. */
function bootOn(rig: Rig, name: KernelName, boot: SceneBoot): readonly Judgement[] {
  const parts = partsOn(name, boot);
  const scenes = boots[boot].filter((scene) => isChosen(scene, parts));
  if (scenes.length === 0 || !isPlayed(boot, name)) return [];
  const play: Judgement['play'] = async (t, kernel) =>
    judgeScenes(t, name, scenes, await playBoot({ rig, kernel, boot, parts }));
  return [{ kernel: name, title: boot, play }];
}

/** Two guests: the second has the records of the first, and other numbers for its groups. */
function rebootOn(rig: Rig, name: KernelName): readonly Judgement[] {
  if (onlyCore || !isPlayed('reboot', name)) return [];
  const play: Judgement['play'] = async (t, kernel) => {
    const first = await playBoot({ rig, kernel, boot: 'before a reboot' });
    await judgeScenes(t, name, boots['before a reboot'], first);
    const kept = first.lines.find((line) => line.startsWith(keepMark));
    assert.ok(kept !== undefined, accountOf(first));
    const files = [textFile('job/kept', kept.slice(keepMark.length))];
    const shape = shapes['agent-renumbered'];
    const second = await playBoot({ rig, kernel, boot: 'after a reboot', shape, files });
    await judgeScenes(t, name, boots['after a reboot'], second);
  };
  return [{ kernel: name, title: 'a reboot', play }];
}

/** The suite. */
export const flow: Suite = (rig) => [
  ...sceneBoots.flatMap((boot) => kernels.flatMap((name) => bootOn(rig, name, boot))),
  ...kernels.flatMap((name) => rebootOn(rig, name)),
];
