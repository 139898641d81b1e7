// The plugin as people install and use it by hand: put in its place by the real krew, asked by a real zsh.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { packPlugin } from '../../../scripts/kubectl-plugin.ts';
import { completionScripts } from '../../../src/cli/kubectl/commands/completion.ts';
import { built } from '../../cluster/build.ts';
import { debianPackage } from '../../cluster/debian.ts';
import { Unavailable } from '../../kernel/rig/apt.ts';
import { type Run, run } from '../../support/run.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { makeCluster } from './cluster-objects.ts';

const tell = (line: string): void => console.error(line);
const limitMs = 120_000;

let server: ApiServer;
/** Folder with node and kubectl, for PATH. */
let programs: string;
let dist: string;
let archive: string;
let manifest: string;

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  await makeCluster(server);
  programs = join(server.folder, 'programs');
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, 'node'));
  symlinkSync(server.kubectlPath, join(programs, 'kubectl'));
  dist = join(server.folder, 'dist');
  const packed = await packPlugin(dist, 'https://files.example.com/kubectl-wholegroup.tar.gz');
  [, archive = '', manifest = ''] = packed;
});
after(async () => await server[Symbol.asyncDispose]());

/** Runs a program with `folders` before the usual ones in PATH. */
function runWith(
  folders: readonly string[],
  program: string,
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const env = {
    PATH: [...folders, programs, process.env['PATH']].join(':'),
    ...{ HOME: server.folder, KUBECONFIG: server.kubeconfig },
    ...variables,
  };
  return run(program, args, { env, limitMs });
}

/** Has krew install an archive below `root`; null after the test was skipped. */
async function install(t: TestContext, from: string, root: string): Promise<Run | null> {
  const krew = await built('krew', tell);
  if (krew.kind === 'missing') {
    t.skip(krew.why);
    return null;
  }
  const args = ['install', `--manifest=${manifest}`, `--archive=${from}`];
  const variables = { KREW_ROOT: root, KREW_NO_UPGRADE_CHECK: '1' };
  return await runWith([], join(krew.folder, 'krew'), args, variables);
}

test('krew installs the archive by its manifest, and kubectl finds the plugin there', async (t) => {
  const root = join(server.folder, 'krew');
  const done = await install(t, archive, root);
  if (done === null) return;
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stderr, /Installed plugin: wholegroup/);
  assert.match(done.stderr, /Needs Node\.js 20 or newer/);
  const tree = await runWith([join(root, 'bin')], 'kubectl', ['wholegroup', 'tree']);
  assert.equal(tree.status, 0, tree.stderr);
  assert.equal(tree.stdout.split('\n')[0], readGolden('tree').split('\n')[0]);
  const version = await runWith([join(root, 'bin')], 'kubectl', ['wholegroup', '--version']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('krew refuses an archive that is not the one of the manifest', async (t) => {
  const other = join(server.folder, 'other.tar.gz');
  writeFileSync(other, readFileSync(archive).subarray(0, -1));
  const done = await install(t, other, join(server.folder, 'refusing'));
  if (done === null) return;
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, /checksum does not match/);
});

function readGolden(name: string): string {
  return readFileSync(join(import.meta.dirname, 'golden', `${name}.txt`), 'utf8');
}

/** What is typed before the tab, and what has to stand on the line after it. */
const typed: readonly (readonly [line: string, completed: string])[] = [
  ['kubectl-wholegroup cord', 'cordon '],
  ['kubectl-wholegroup explain nic', 'explain nics '],
  ['kubectl-wholegroup cordon worker-1-0000-6', 'cordon worker-1-0000-65-00-0 '],
  ['kubectl-wholegroup tree --resource n', '--resource nvidia.com/GA102GL_A40 '],
];

/** Unpacked zsh, or null after the test was skipped. */
async function zshFolders(t: TestContext): Promise<readonly [root: string, common: string] | null> {
  try {
    return [await debianPackage('zsh', tell), await debianPackage('zsh-common', tell)];
  } catch (problem) {
    if (!(problem instanceof Unavailable)) throw problem;
    t.skip(problem.message);
    return null;
  }
}

for (const [line, completed] of typed) {
  test(`zsh makes "${completed}" of "${line}" and a tab`, async (t) => {
    const folders = await zshFolders(t);
    if (folders === null) return;
    const script = join(server.folder, 'completion.zsh');
    writeFileSync(script, completionScripts.zsh);
    const settings = join(server.folder, 'zsh');
    mkdirSync(settings, { recursive: true });
    const done = await runWith(
      [join(dist, 'kubectl')],
      join(folders[0], 'bin', 'zsh'),
      [
        ...['-f', join(import.meta.dirname, 'zsh', 'complete.zsh')],
        ...[...folders, script, line, completed],
      ],
      { ZDOTDIR: settings },
    );
    assert.equal(done.status, 0, done.stderr);
    assert(done.stdout.trimEnd().endsWith(completed.trimEnd()), JSON.stringify(done.stdout));
  });
}
