// Runs in a guest: plays scenes with the real agent on real devices. Prints one line of JSON for each.
//
//   flow.mjs BOOT KERNEL [PART]...     the scenes of one boot; with parts those that have one of them in their name
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { FlowMachine, type KeptOverReboot } from './machine.ts';
import type { Figures, Scene, SceneResult } from './scene.ts';
import { boots, type FlowBoot } from './scenes/index.ts';

const [boot = 'claims', kernel = '', ...parts] = process.argv.slice(2);
const keptFile = '/job/kept';
const scenes: readonly Scene[] = boots[boot as FlowBoot];

/** A serial line is slow: the end of the process would cut it off. */
function print(line: string): Promise<void> {
  const written = Promise.withResolvers<void>();
  process.stdout.write(`${line}\n`, () => written.resolve());
  return written.promise;
}

async function play(scene: Scene, machine: FlowMachine): Promise<SceneResult> {
  const startedMs = performance.now();
  const result = (problem: string | null, figures: Figures): SceneResult => {
    const tookMs = Math.round(performance.now() - startedMs);
    return { name: scene.name, problem, figures, tookMs };
  };
  try {
    return result(null, await scene.run(machine));
  } catch (thrown) {
    const said = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return result(`${said}\nthe agent's log ends:\n${machine.agent.lastLog()}`, {});
  }
}

spawnSync('ip', ['link', 'set', 'lo', 'up']);
const kept = existsSync(keptFile)
  ? (JSON.parse(readFileSync(keptFile, 'utf8')) as KeptOverReboot)
  : null;
const machine = await FlowMachine.open(kept);
for (const scene of scenes) {
  if (parts.length > 0 && !parts.some((part) => scene.name.includes(part))) continue;
  if (scene.skip?.[kernel] !== undefined) continue;
  const result = await play(scene, machine);
  await print(`@@SCENE ${JSON.stringify(result)}`);
  // What is left of a scene that went wrong would make the next ones go wrong.
  if (result.problem !== null) break;
}
await machine.close();
process.exit(0);
