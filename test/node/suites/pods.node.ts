// Pods on real nodes: one guest for each kernel, in which the scenes are played one after the other.
import { after, before, describe, test } from 'node:test';
import type { KernelName } from '../../kernel/rig/wanted.ts';
import { askedKernels, isAsked, nodeDisk, nodeRig, onlyCore } from '../asked.ts';
import type { NodeStage } from '../node-stage.ts';
import { keptFolder, openNode } from '../open.ts';
import type { Scene } from '../scene.ts';
import { deviceFiles, otherUser } from '../scenes/access.ts';
import { capabilities } from '../scenes/capabilities.ts';
import { behindBridge, twoFunctions } from '../scenes/claims.ts';
import { mountedDisk } from '../scenes/disk-in-use.ts';
import { hints } from '../scenes/hints.ts';
import { forcedDeletion, stubbornPod } from '../scenes/holders.ts';
import { nodesOwn, otherPodsGroup } from '../scenes/isolation.ts';
import { killedInClaim, killedInReturn, programsRestart } from '../scenes/outages.ts';
import { hotPlug, hotUnplug, sriov } from '../scenes/plugging.ts';
import { reboot } from '../scenes/reboot.ts';

const core: readonly Scene[] = [hints, twoFunctions, otherPodsGroup, mountedDisk, nodesOwn];
const rest: readonly Scene[] = [
  ...[behindBridge, stubbornPod, forcedDeletion, sriov, killedInClaim, killedInReturn],
  ...[programsRestart, hotUnplug, hotPlug, otherUser, capabilities],
  // The machine is another one afterwards.
  reboot,
];
/** On the one kernel that has them. */
const onFiles: readonly Scene[] = [twoFunctions, deviceFiles];
/** What takes minutes is played on one kernel. */
const wholeOn: KernelName = 'newest';
const tell = (line: string): void => console.log(`  ${line}`);

function scenesOn(kernel: KernelName): readonly Scene[] {
  const whole = !onlyCore() && kernel === wholeOn ? [...core, ...rest] : core;
  const all = kernel === '6.12-cdev' ? onFiles : whole;
  return all.filter(({ name }) => isAsked(name));
}

for (const kernel of askedKernels()) {
  describe(`Linux ${kernel}`, { timeout: 1_800_000 }, () => {
    const scenes = scenesOn(kernel);
    let at: NodeStage | null = null;
    let whyNot = 'nothing was asked for';
    let failed = false;
    before(async () => {
      const rig = await nodeRig([kernel], tell);
      const [tree] = rig.kernels;
      whyNot = rig.missing.get(kernel) ?? whyNot;
      if (tree === undefined || scenes.length === 0) return;
      tell(`Linux ${tree.release}`);
      const disk = await nodeDisk(rig, tell);
      at = await openNode({ parts: { rig, kernel: tree, disk }, tell });
    });
    after(async () => {
      if (at === null) return;
      if (failed) {
        const folder = keptFolder(at.guest.parts);
        await at.guest.keep(folder);
        tell(`logs of the node are in ${folder}`);
      }
      await at[Symbol.asyncDispose]();
    });
    for (const { name, play, skip } of scenes) {
      test(`${kernel}: ${name}`, async (t) => {
        if (at === null) return t.skip(whyNot);
        if (skip?.[kernel] !== undefined) return t.skip(skip[kernel]);
        const startedMs = performance.now();
        try {
          await play(at);
        } catch (thrown) {
          failed = true;
          // The runner says it when all of them were played, which takes a while.
          tell(String(thrown));
          throw thrown;
        } finally {
          tell(`${((performance.now() - startedMs) / 1000).toFixed(1)} s  ${name}`);
        }
      });
    }
  });
}
