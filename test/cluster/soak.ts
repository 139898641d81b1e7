// `npm run soak [-- --cycles N] [--seed N]`: pods come and go while the agent, the kubelet and containerd are killed and
// devices are plugged, by a seed; after every cycle the node must be as it was. This file runs twice: outside, where it
// builds, and enclosed, where the cluster is.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { nodePrograms } from './harness/cluster.ts';
import { runEnclosed, runVariable, whyNoCluster } from './harness/enclosure.ts';
import { prepareInstall } from './harness/product.ts';
import { soak } from './stage/soak.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [cycles, seed] = [Number(values.cycles), Number(values.seed)];

async function outside(): Promise<number> {
  assert(Number.isInteger(cycles) && cycles > 0, `--cycles ${values.cycles}: a number from 1 on`);
  const why = whyNoCluster();
  if (why !== null) {
    console.log(`﹣ skipped: soak: ${why}`);
    return 0;
  }
  const tell = (line: string): void => console.error(line);
  await nodePrograms(tell);
  await prepareInstall(tell);
  const own = [process.execPath, import.meta.filename, '--seed', String(seed)];
  return await runEnclosed([...own, '--cycles', String(cycles)]);
}

if (process.env[runVariable] === undefined) process.exitCode = await outside();
else await soak({ cycles, seed, tell: (line) => console.log(line) });
