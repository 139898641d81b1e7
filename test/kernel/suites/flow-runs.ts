// Boots of the whole flow, for the suites that play them: one guest each, one test for each scene.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { calibrationMs, nativeFile } from '../guest/flow/calibration.ts';
import type { Scene, SceneResult } from '../guest/flow/scene.ts';
import type { FlowBoot } from '../guest/flow/scenes/index.ts';
import type { Entry } from '../rig/cpio.ts';
import { accountOf, type Ended, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import type { KernelTree, Rig } from '../rig/rig.ts';
import { type Shape, shapes } from '../rig/shapes.ts';
import { guestProgram } from './guest-program.ts';

/** The agent is started again and again: V8 keeps what it compiled, or each start takes seconds of emulation longer. */
const compileCache = 'export NODE_COMPILE_CACHE=/run/v8';
const deadlineMs = 900_000;
const sceneMark = '@@SCENE ';

/** One boot. */
export interface FlowRun {
  readonly rig: Rig;
  readonly kernel: KernelTree;
  readonly boot: FlowBoot;
  /** The agent's machine without it. */
  readonly shape?: Shape;
  /** Scenes with one of these in their name; all of them without any. */
  readonly parts?: readonly string[];
  readonly files?: readonly Entry[];
}

/** Boots a guest and plays the scenes. */
export async function playBoot(run: FlowRun): Promise<Ended> {
  const { rig, kernel, boot, shape = shapes.agent, parts = [], files = [] } = run;
  const words = [boot, kernel.name, ...parts].map((word) => `'${word}'`).join(' ');
  const programs = await Promise.all([
    guestProgram('flow/main.ts', 'job/flow.mjs'),
    guestProgram('flow/knife-agent.ts', 'opt/wholegroup/knife-agent.mjs'),
  ]);
  const job = [
    ...programs,
    ...files,
    textFile(nativeFile.slice(1), String(calibrationMs())),
    textFile('job/main', `${compileCache}\nnode /job/flow.mjs ${words}\n`),
  ];
  return runGuest({ rig, kernel, shape, job, deadlineMs });
}

/** One test for each of the scenes that were to be played. */
export async function judgeScenes(
  t: TestContext,
  kernel: string,
  scenes: readonly Scene[],
  ended: Ended,
): Promise<void> {
  const results = ended.lines
    .filter((line) => line.startsWith(sceneMark))
    .map((line) => JSON.parse(line.slice(sceneMark.length)) as SceneResult);
  for (const scene of scenes) {
    await t.test(`${kernel}: ${scene.name}`, (t) => {
      const why = scene.skip?.[kernel];
      if (why !== undefined) return t.skip(why);
      const result = results.find((each) => each.name === scene.name);
      assert.ok(result !== undefined, `it was not played: ${accountOf(ended)}`);
      // The runner says it when all of them were played, which takes a while.
      if (result.problem !== null) console.log(`${kernel}: ${scene.name}: ${result.problem}`);
      t.diagnostic(`${result.tookMs} ms ${JSON.stringify(result.figures)}`);
      assert.equal(result.problem, null, result.problem ?? '');
    });
  }
  assert.equal(ended.status, 0, `${accountOf(ended)}\n${ended.lines.slice(-5).join('\n')}`);
}
