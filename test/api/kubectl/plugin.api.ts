// The plugin as people have it: made by the bundle, found in PATH by the real kubectl, against a real API server. Golden
// files hold what it prints; WHOLEGROUP_UPDATE_GOLDEN=1 writes them anew.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makePlugin } from '../../../scripts/kubectl-plugin.ts';
import { kubectlCommandLine } from '../../../src/cli/kubectl/command-line.ts';
import { runCommand } from '../../cli/run-command.ts';
import { type Run, run as runToEnd } from '../../support/run.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { makeCluster } from './cluster-objects.ts';

const golden = join(import.meta.dirname, 'golden');

let server: ApiServer;
let folder: string;

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  await makeCluster(server);
  folder = join(server.folder, 'plugin');
  await makePlugin(folder);
  symlinkSync(process.execPath, join(folder, 'node'));
  symlinkSync(server.kubectlPath, join(folder, 'kubectl'));
});
after(async () => await server[Symbol.asyncDispose]());

interface RunWith {
  readonly kubeconfig?: string;
  readonly program?: string;
}

/** Runs a program with the plugin, kubectl and Node.js in PATH. */
async function run(args: readonly string[], options: RunWith = {}): Promise<Run> {
  const { kubeconfig = server.kubeconfig, program = 'kubectl' } = options;
  const env = {
    PATH: `${folder}:${process.env['PATH']}`,
    ...{ HOME: server.folder, TZ: 'UTC', KUBECONFIG: kubeconfig },
  };
  return await runToEnd(program, args, { env });
}

const plugin = (...args: string[]): Promise<Run> => run(['wholegroup', ...args]);

/** Times that differ from run to run, taken out. */
function masked(text: string): string {
  return text
    .replaceAll(/ for \d+[smhdy]\w*/g, ' for AGE')
    .replaceAll(/\b\d+[smhdy]\w* (old|ago)\b/g, 'AGE $1')
    .replaceAll(/20\d\d-\d\d-\d\dT[\d:]+Z(?=  (object|cordon))/g, 'TIME                ');
}

function compare(name: string, text: string): void {
  const path = join(golden, `${name}.txt`);
  if (process.env['WHOLEGROUP_UPDATE_GOLDEN'] === '1') {
    mkdirSync(golden, { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, 'utf8'));
}

/** Arguments, and the status with which they end. */
const printed: Readonly<Record<string, readonly [status: number, ...args: string[]]>> = {
  help: [0, '--help'],
  tree: [0, 'tree'],
  'tree-of-a-node': [0, 'tree', 'worker-1'],
  'tree-of-a-namespace': [0, 'tree', '-n', 'ml'],
  'tree-of-a-resource': [0, 'tree', '--resource', 'nvidia.com/GA102GL_A40'],
  'explain-an-address': [1, 'explain', 'worker-1/0000:04:00.1'],
  'explain-a-short-address': [0, 'explain', '65:00.0'],
  'explain-an-assigned-group': [0, 'explain', 'worker-1-0000-65-00-0'],
  'explain-an-offered-group': [0, 'explain', 'ig/worker-2-0000-05-00-0'],
  'explain-a-cordoned-group': [1, 'explain', 'worker-2-0000-06-00-0'],
  'explain-a-faulted-group': [1, 'explain', 'worker-2-0000-07-00-0'],
  'explain-a-group-without-status': [1, 'explain', 'group/worker-3-0000-08-00-0'],
  'explain-a-policy': [0, 'explain', 'nics'],
  'explain-a-policy-without-status': [1, 'explain', 'policy/a40'],
  'explain-a-node': [0, 'explain', 'node/worker-1'],
  'explain-a-node-that-is-not-ready': [1, 'explain', 'worker-2'],
  'explain-a-pod-that-has': [0, 'explain', 'ml/train-0'],
  'explain-a-pod-that-waits': [1, 'explain', 'pod/waits', '-n', 'ml'],
  'explain-a-pod-that-is-mistyped': [1, 'explain', 'mistyped', '-A'],
  'explain-a-pod-of-others': [0, 'explain', 'ml/other'],
  history: [0, 'history', 'worker-2/0000:05:00.0'],
  'history-of-a-lease': [0, 'history', '0000:65:00.0'],
};

for (const [name, [status, ...args]] of Object.entries(printed)) {
  test(`kubectl wholegroup ${args.join(' ')} prints what it is known to print`, async () => {
    const done = await plugin(...args);
    assert.equal(done.stderr, '');
    assert.equal(done.status, status);
    compare(name, masked(done.stdout));
  });
}

test('on a terminal the tree has boxes, and colours by state', async (t) => {
  // A box is as wide as what is in it, which is also for how long a pod has its group: 30h on any day.
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T11:17:08Z') });
  const env = { KUBECONFIG: server.kubeconfig, HOME: server.folder };
  const options = { env, width: 110, line: kubectlCommandLine };
  const { out, status } = await runCommand(['tree'], options);
  assert.equal(status, 0);
  compare('tree-on-a-terminal', masked(out));
  const narrow = await runCommand(['tree'], { ...options, width: 50 });
  assert.doesNotMatch(narrow.out, /╭/, 'a narrow one has none');
});

test('JSON and YAML have everything that the table has', async () => {
  const tree = JSON.parse((await plugin('tree', '-o', 'json')).stdout) as {
    nodes: readonly { name: string; groups: readonly { state: string }[] }[];
  };
  assert.deepEqual(
    tree.nodes.map(({ name, groups }) => [name, groups.map(({ state }) => state)]),
    [
      ['worker-1', ['blocked', 'assigned']],
      ['worker-2', ['offered', 'blocked', 'faulted']],
      ['worker-3', ['unreported']],
    ],
  );
  const [explained] = JSON.parse((await plugin('explain', 'nics', '-o', 'json')).stdout) as [
    { kind: string; obstacles: readonly object[] },
  ];
  assert.equal(explained.kind, 'policy');
  assert.equal(explained.obstacles.length, 3);
  assert.match((await plugin('history', '65:00.0', '-o', 'yaml')).stdout, /^- at: /);
});

/** What is refused: arguments, status, what standard error says. */
const refused: readonly (readonly [args: readonly string[], status: number, says: RegExp])[] = [
  [['explain', 'worker-1-0000-65-00-1'], 3, /did you mean worker-1-0000-65-00-0\?/],
  [['explain', '0000:99:00.0'], 3, /no group with 0000:99:00\.0 on any node/],
  [['explain', 'pod/none', '-n', 'ml'], 3, /no pod none in namespace ml/],
  [['explain', 'a/b/c'], 64, /"a\/b\/c" is none of ADDRESS, NODE\/ADDRESS/],
  [['explain', 'a40'], 64, /"a40" may be policy\/a40 or pod\/a40: say which/],
  [['tree', 'worker-9'], 3, /no agent has told of a node worker-9/],
  [['cordon', 'policy/nics'], 64, /"policy\/nics" means no group/],
  [['cordon', 'worker-1-0000-65-00-0', 'worker-9-0000-65-00-0'], 3, /no group worker-9/],
  [['cordon'], 64, /missing required argument 'group'/],
  [['tree', '-o', 'xml'], 64, /table, json, yaml/],
  [['trea'], 64, /Did you mean tree/],
];

for (const [args, status, says] of refused) {
  test(`kubectl wholegroup ${args.join(' ')} ends with ${status} and says why`, async () => {
    const done = await plugin(...args);
    assert.match(done.stderr, says);
    assert.equal(done.status, status);
    assert.equal(done.stdout, '');
  });
}

test('groups go out of service and back, and what is so already is not written', async () => {
  const name = 'worker-1-0000-65-00-0';
  const version = async (): Promise<string> =>
    (await run(['get', 'ig', name, '-o', 'jsonpath={.metadata.resourceVersion}'])).stdout;
  const cordon = (): Promise<Run> => plugin('cordon', '65:00.0', '--reason', 'RMA 4711');
  assert.equal(
    (await cordon()).stdout,
    `iommugroup.wholegroup.dev/${name} cordoned; pod ml/train-0 keeps it until it ends\n`,
  );
  const spec = await run(['get', 'ig', name, '-o', 'jsonpath={.spec}']);
  assert.deepEqual(JSON.parse(spec.stdout), { cordoned: true, cordonReason: 'RMA 4711' });
  assert.match(
    (await plugin('history', name)).stdout,
    /cordon +Cordoned +taken out of service by kubectl-wholegroup: RMA 4711/,
  );
  const before = await version();
  assert.match((await cordon()).stdout, /already cordoned/);
  assert.equal(await version(), before);
  const back = await plugin('uncordon', name, 'worker-2/06:00.0', '-o', 'json');
  const changed = (JSON.parse(back.stdout) as { changed: boolean }[]).map((each) => each.changed);
  assert.deepEqual([back.status, changed], [0, [true, true]]);
});

test('KUBECONFIG with several files, --context and --kubeconfig choose the cluster', async () => {
  const nowhere = join(server.folder, 'nowhere.conf');
  const config = JSON.parse(readFileSync(server.kubeconfig, 'utf8')) as Record<string, unknown>;
  const elsewhere = { server: 'https://127.0.0.1:1' };
  writeFileSync(
    nowhere,
    JSON.stringify({
      ...config,
      clusters: [{ name: 'nowhere', cluster: elsewhere }],
      users: [],
      contexts: [{ name: 'nowhere', context: { cluster: 'nowhere' } }],
      'current-context': 'nowhere',
    }),
  );
  const kubeconfig = `${nowhere}:${server.kubeconfig}:/none`;
  const tree = (...args: string[]): Promise<Run> =>
    run(['wholegroup', 'tree', ...args], { kubeconfig });
  const first = await tree();
  assert.deepEqual([first.status, first.stdout], [69, '']);
  assert.match(first.stderr, /WG_API_UNREACHABLE.*ECONNREFUSED/);
  assert.equal((await tree('--context', 'test')).status, 0);
  assert.equal((await tree('--kubeconfig', server.kubeconfig)).status, 0);
  assert.match(
    (await tree('--context', 'other')).stderr,
    /no context "other".*known: nowhere, test/,
  );
  const offered = await run(['__complete', 'wholegroup', 'tree', '--context', ''], { kubeconfig });
  assert.equal(offered.stdout, 'nowhere\ntest\n:4\n');
});

test('whoever may not look is told which right is missing', async () => {
  const token = await server.tokenFor({ serviceAccount: 'nobody' });
  const done = await run(['wholegroup', 'tree'], { kubeconfig: server.kubeconfigFor(token) });
  assert.equal(done.status, 77);
  assert.match(done.stderr, /cannot list resource "(passthroughnodes|iommugroups)"/);
  assert.match(done.stderr, /wholegroup-view/);
});

/** What kubectl's own completion offers after these words. */
const offered: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
  [[''], ['tree', 'explain', 'cordon', 'uncordon', 'history', 'completion']],
  [
    ['tree', ''],
    ['worker-1', 'worker-2'],
  ],
  [['tree', 'worker-1', ''], ['worker-2']],
  [
    ['cordon', 'worker-1-'],
    ['worker-1-0000-04-00-0', 'worker-1-0000-65-00-0'],
  ],
  [['uncordon', ''], []],
  [['explain', 'n'], ['nics']],
  [['explain', 'pod/', '-n'], []],
  [['explain', '-n', 'ml', 'pod/w'], ['pod/waits']],
  [['explain', 'ml/t'], ['ml/train-0']],
  [['explain', '-n', 'm'], ['ml']],
  [
    ['history', '-o', ''],
    ['table', 'json', 'yaml'],
  ],
  [['history', '--output=j'], ['--output=json']],
  [['tree', '--re'], ['--resource']],
  [['tree', '--resource', 'n'], ['nvidia.com/GA102GL_A40']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'kubectl'],
  ],
];

for (const [words, offers] of offered) {
  test(`kubectl completes "wholegroup ${words.join(' ')}"`, async () => {
    const done = await run(['__complete', 'wholegroup', ...words]);
    const lines = done.stdout.trimEnd().split('\n');
    assert.equal(lines.pop(), ':4');
    assert.deepEqual(
      lines.map((line) => line.split('\t')[0]),
      offers,
    );
  });
}

test('bash completes the program itself by the script that it prints', async () => {
  const script = `
    source <(kubectl-wholegroup completion bash)
    COMP_WORDS=(kubectl-wholegroup cordon worker-2-) COMP_CWORD=2
    _kubectl_wholegroup
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const done = await run(['--norc', '-c', script], { program: 'bash' });
  assert.equal(done.stderr, '');
  const names = ['05', '06', '07'].map((bus) => `worker-2-0000-${bus}-00-0`);
  assert.deepEqual(done.stdout.trim().split('\n'), names);
});
