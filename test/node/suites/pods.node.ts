// Pods on real nodes: one guest for each kernel, in which the scenes are played one after the other.
import { after, before, describe, test } from 'node:test';
import type { KernelName } from '../../kernel/rig/wanted.ts';
import { askedKernels, isAsked, nodeDisk, nodeRig, onlyCore } from '../asked.ts';
import type { NodeStage } from '../node-stage.ts';
import { keptFolder, openNode } from '../open.ts';
import type { Scene } from '../scene.ts';
import { capabilities } from '../scenes/capabilities.ts';
import { behindBridge, twoFunctions } from '../scenes/claims.ts';
import { mountedDisk } from '../scenes/disk-in-use.ts';
import { forcedDeletion, stubbornPod } from '../scenes/holders.ts';
import { nodesOwn, otherPodsGroup } from '../scenes/isolation.ts';
import { killedInClaim, killedInReturn, programsRestart } from '../scenes/outages.ts';
import { hotPlug, hotUnplug, sriov } from '../scenes/plugging.ts';
import { reboot } from '../scenes/reboot.ts';

const core: readonly Scene[] = [twoFunctions, otherPodsGroup, mountedDisk, nodesOwn];
const rest: readonly Scene[] = [
  ...[behindBridge, stubbornPod, forcedDeletion, sriov, killedInClaim, killedInReturn],
  ...[programsRestart, hotUnplug, hotPlug, capabilities],
  // The machine is another one afterwards.
  reboot,
];
/** What takes minutes is played on one kernel. */
const wholeOn: KernelName = 'newest';
const tell = (line: string): void => console.log(`  ${line}`);

function scenesOn(kernel: KernelName): readonly Scene[] {
  const all = !onlyCore() && kernel === wholeOn ? [...core, ...rest] : core;
  return all.filter(({ name }) => isAsked(name));
}

for (const kernel of askedKernels()) {
  describe(`Linux ${kernel}`, { timeout: 1_800_000 }, () => {
    const scenes = scenesOn(kernel);
    let at: NodeStage | null = null;
    let failed = false;
    before(async () => {
      const rig = await nodeRig([kernel], tell);
      const [tree] = rig.kernels;
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
        if (at === null) return t.skip('no suite of the mirror has a kernel of that version');
        if (skip?.[kernel] !== undefined) return t.skip(skip[kernel]);
        const startedMs = performance.now();
        try {
          await play(at);
        } catch (thrown) {
          failed = true;
          throw thrown;
        } finally {
          tell(`${((performance.now() - startedMs) / 1000).toFixed(1)} s  ${name}`);
        }
      });
    }
  });
}
