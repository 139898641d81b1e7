// `npm run cluster:up [-- --nodes N] [--image ARCHIVE ...]`: a cluster to try things with, until Ctrl-C. This file runs
// twice: outside, listening on a loopback port, and enclosed, where the cluster is; a unix socket joins the two.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kubeconfig } from '../api/support/server-flags.ts';
import { built } from './build.ts';
import { nodePrograms, startCluster } from './harness/cluster.ts';
import { runEnclosed, whyNoCluster } from './harness/enclosure.ts';
import { forward } from './harness/forward.ts';
import { testImage } from './harness/test-image.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    image: { type: 'string', multiple: true, default: [] },
    // Set by this file itself, for its second run.
    folder: { type: 'string' },
  },
});
const tell = (line: string): void => console.error(line);

async function outside(): Promise<number> {
  const why = whyNoCluster();
  if (why !== null) {
    console.error(`no cluster can run here: ${why}`);
    return 69;
  }
  await nodePrograms(tell);
  const helm = await built('helm', tell);
  await testImage(tell);
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-cluster-'));
  const server = forward(createServer(), () => connect(join(folder, 'api.sock')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(folder, 'port'), `${port} ${helm.kind === 'ready' ? helm.folder : ''}`);
  const own = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
  try {
    return await runEnclosed([...own, '--folder', folder]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function enclosed(folder: string): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  const images = [await testImage(tell), ...values.image];
  await using cluster = await startCluster({ nodes: Number(values.nodes), images, tell });
  const api = forward(createServer(), () => connect(443, '127.0.0.1'));
  api.listen(join(folder, 'api.sock'));
  const [port = '', helm = ''] = readFileSync(join(folder, 'port'), 'utf8').split(' ');
  const config = join(folder, 'kubeconfig');
  const { caFile, tokens, binaries } = cluster.api;
  writeFileSync(config, kubeconfig(`https://127.0.0.1:${port}`, caFile, tokens.admin));
  console.log(`export KUBECONFIG=${config} PATH=${[binaries, helm].join(':')}:$PATH`);
  console.log('kubectl get nodes');
  console.log('helm install wholegroup charts/wholegroup -n wholegroup-system --create-namespace');
  console.error('running until Ctrl-C');
  await stopped;
  api.close();
}

if (values.folder === undefined) process.exitCode = await outside();
else await enclosed(values.folder);
