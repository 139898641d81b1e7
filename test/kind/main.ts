// `npm run test:kind [-- PATTERN ...]`: the core scenarios on a cluster that kind has created, of one control plane and
// one worker. Builds what it needs or finds it in the cache; looks afterwards that nothing was left on the machine.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asked, filesOf, refuseNoFiles, runTestFiles } from '../../scripts/run-test-files.ts';
import { runSelfEnclosed } from '../cluster/harness/enclosed-run.ts';
import { runVariable, whyNoCluster } from '../cluster/harness/enclosure.ts';
import { clearNetwork, layNetwork } from '../cluster/harness/network.ts';
import { preparedInstall, prepareInstall } from '../cluster/harness/product.ts';
import { kubernetesVersion } from '../cluster/programs.ts';
import { Unavailable } from '../kernel/rig/apt.ts';
import { createCluster } from './create.ts';
import { kindVariable, writeDescription } from './described.ts';
import { type KindParts, kindParts } from './docker.ts';
import { nodeImage } from './node-image.ts';

const { patterns, flags } = asked(process.argv.slice(2));
const files = filesOf('test/cluster/scenarios/core/*.cluster.ts', patterns);
if (files.length === 0) refuseNoFiles(patterns);
const tell = (line: string): void => console.error(line);

/** The image of the nodes, made or found. */
async function imageOf(parts: KindParts): Promise<string> {
  const [sandbox = ''] = (await preparedInstall()).images;
  return await nodeImage({ root: parts.root, programs: parts.programs, sandbox }, tell);
}

async function outside(): Promise<void> {
  const skip = (why: string): void =>
    console.log(`﹣ skipped: all ${files.length} files of test:kind: ${why}`);
  const why = whyNoCluster();
  if (why !== null) return skip(why);
  try {
    await prepareInstall(tell);
    await imageOf(await kindParts(tell));
  } catch (thrown) {
    if (!(thrown instanceof Unavailable)) throw thrown;
    return skip(thrown.message);
  }
  process.exitCode = await runSelfEnclosed('test-kind');
}

async function enclosed(): Promise<void> {
  const parts = await kindParts(tell);
  const { images } = await preparedInstall();
  const folder = mkdtempSync(join(tmpdir(), 'kind-'));
  await layNetwork();
  {
    const nodes = await imageOf(parts);
    await using cluster = await createCluster({ parts, nodeImage: nodes, images, folder, tell });
    const env = { ...process.env, [kindVariable]: writeDescription(cluster.description) };
    console.log(`kind: two nodes of Kubernetes ${kubernetesVersion}`);
    await runTestFiles(files, ['--test-concurrency=1', ...flags], env);
  }
  await clearNetwork();
}

if (process.env[runVariable] === undefined) await outside();
// One after the other: they share the cluster.
else await enclosed();
