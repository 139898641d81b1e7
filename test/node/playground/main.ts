// `npm run playground [-- --kernel NAME]`: the node of test:node to try things with, until Ctrl-C. This file runs twice:
// outside, where it listens on a loopback port for kubectl, and enclosed, where the cluster and the guest are.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makePlugin } from '../../../scripts/kubectl-plugin.ts';
import { kubeconfig } from '../../api/support/server-flags.ts';
import { nodePrograms } from '../../cluster/harness/cluster.ts';
import { runEnclosed } from '../../cluster/harness/enclosure.ts';
import { forward } from '../../cluster/harness/forward.ts';
import { prepareInstall } from '../../cluster/harness/product.ts';
import { slownessVariable } from '../../cluster/stage/wait.ts';
import { Unavailable } from '../../kernel/rig/apt.ts';
import { nodeDisk, nodeKernels, nodeRig, slowness } from '../asked.ts';
import { openNode } from '../open.ts';
import { whyNoNode } from '../why-not.ts';
import { serveGuest } from './guest-socket.ts';

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: 'newest' },
    'keep-image': { type: 'boolean', default: false },
    // Set by this file itself, for its second run.
    folder: { type: 'string' },
    port: { type: 'string', default: '' },
  },
});
const tell = (line: string): void => console.error(line);
const cannotRun = 69;

const [name] = nodeKernels.filter((each) => each === values.kernel);
if (name === undefined) {
  console.error(`--kernel is "${values.kernel}"; allowed: ${nodeKernels.join(', ')}`);
  process.exit(64);
}
const kernel = name;

/** What is at hand in the other terminal: kubectl with its plugin, and `guest`. */
async function layPrograms(folder: string): Promise<void> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  await makePlugin(bin);
  const { kubernetes } = await nodePrograms(tell);
  symlinkSync(join(kubernetes, 'kubectl'), join(bin, 'kubectl'));
  const program = join(import.meta.dirname, 'guest.ts');
  const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' '${join(folder, 'guest.sock')}' "$@"\n`;
  writeFileSync(join(bin, 'guest'), script);
  chmodSync(join(bin, 'guest'), 0o755);
}

async function outside(): Promise<number> {
  const why = whyNoNode();
  if (why !== null) throw new Unavailable(why);
  await nodePrograms(tell);
  if (!values['keep-image']) await prepareInstall(tell);
  await nodeDisk(await nodeRig([kernel], tell), tell);
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-playground-'));
  const server = forward(createServer(), () => connect(join(folder, 'api.sock')));
  try {
    await layPrograms(folder);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const own = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
    const env = { ...process.env, TMPDIR: folder, [slownessVariable]: String(slowness) };
    return await runEnclosed([...own, '--folder', folder, '--port', String(port)], env);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function enclosed(folder: string): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve());
  });
  const rig = await nodeRig([kernel], tell);
  const [tree] = rig.kernels;
  if (tree === undefined) throw new Unavailable(`the mirror has no kernel ${kernel}`);
  const disk = await nodeDisk(rig, tell);
  tell('a minute or two: a Kubernetes, a guest, and wholegroup in it');
  await using at = await openNode({ parts: { rig, kernel: tree, disk }, tell });
  const { api } = at.cluster;
  const config = join(folder, 'kubeconfig');
  writeFileSync(
    config,
    kubeconfig(`https://127.0.0.1:${values.port}`, api.caFile, api.tokens.admin),
  );
  const server = forward(createServer(), () => connect(443, '127.0.0.1'));
  server.listen(join(folder, 'api.sock'));
  const guest = serveGuest(at.guest, join(folder, 'guest.sock'));
  tell(
    '\nGive another terminal, in this folder, this line; docs/try-without-hardware.md goes on from there.\n',
  );
  console.log(`export KUBECONFIG=${config} PATH=${join(folder, 'bin')}:$PATH`);
  tell('\nrunning until Ctrl-C');
  await stopped;
  tell('stopping ...');
  server.close();
  guest.close();
}

try {
  if (values.folder === undefined) process.exitCode = await outside();
  else await enclosed(values.folder);
} catch (thrown) {
  if (!(thrown instanceof Unavailable)) throw thrown;
  console.error(`nothing can be tried here: ${thrown.message}`);
  process.exitCode = cannotRun;
}
