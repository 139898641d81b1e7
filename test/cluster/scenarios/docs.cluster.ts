// docs/install.md word for word on a fresh cluster: every block for a cluster, in the order of the page, and between its
// last two those of docs/operations.md.
import assert from 'node:assert/strict';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Block, blocksIn } from '../../docs/pages.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { preparedInstall } from '../harness/product.ts';
import { run } from '../harness/run.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const install = await preparedInstall();
const said: string[] = [];
let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ nodes: 1, images: install.images });
});
after(async () => await cluster?.[Symbol.asyncDispose]());

/** What a shell prints that is given the block as it stands; fails with the line that failed. */
async function type({ page, line, text }: Block, words: Readonly<Record<string, string>> = {}) {
  const { folder, kubeconfig, kubectlPath } = cluster.api;
  const programs = mkdtempSync(join(folder, 'bin-'));
  symlinkSync(kubectlPath, join(programs, 'kubectl'));
  symlinkSync(install.helm, join(programs, 'helm'));
  const path = `${programs}:${process.env['PATH'] ?? ''}`;
  const env = { PATH: path, HOME: folder, KUBECONFIG: kubeconfig };
  const script = Object.entries(words).reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const ended = await run('bash', ['-exc', script], { env, cwd: root });
  assert.equal(ended.status, 0, `${page}:${line}\n${ended.stdout}${ended.stderr}`);
  said.push(ended.stdout);
  return ended.stdout;
}

const blocks = blocksIn('docs/install.md', 'cluster');

for (const [index, block] of blocks.slice(0, -1).entries()) {
  test(`docs/install.md:${block.line}, block ${index + 1} of ${blocks.length}`, async () => {
    await type(block);
  });
}

test('what the pod printed is what the page says', () => {
  const all = said.join('\n');
  assert.match(all, /^10 vfio$/m, 'the nodes of the whole group');
  assert.match(all, /^0000:01:00\.0$/m, 'the GPU alone');
  assert.match(all, /Assigned.*default\/train/);
});

test('blocks of docs/operations.md, with the name of a group', async () => {
  const { stdout } = await cluster.api.kubectl(['get', 'ig', '-o', 'name']);
  const [name = ''] = stdout.split('\n').map((line) => line.replace(/^.*\//, ''));
  assert.notEqual(name, '');
  for (const block of blocksIn('docs/operations.md', 'cluster')) await type(block, { NAME: name });
});

test('the last block takes it away again', async () => {
  const last = blocks.at(-1);
  assert.ok(last !== undefined);
  await type(last);
  const { stdout } = await cluster.api.kubectl(['get', 'clusterrole,crd', '-o', 'name']);
  assert.doesNotMatch(stdout, /wholegroup/);
});
