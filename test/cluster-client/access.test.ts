// Where the API server is and who asks: kubeconfig files as kubectl reads them, exec plugins, and the mounted files of
// a pod that change under a running process.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { inClusterAccess } from '../../src/cluster/access/in-cluster.ts';
import { kubeconfigAccess, kubeconfigPaths } from '../../src/cluster/access/kubeconfig.ts';
import { keptLog } from './stage.ts';

const root = mkdtempSync(join(tmpdir(), 'wholegroup-access-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

/** Files in a folder of their own; returns its path. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const config = (more: string, user = 'token: secret'): string => `
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u, namespace: team}}
- {name: two, context: {cluster: other, user: u}}
clusters:
- {name: c, cluster: {server: "https://one:6443/", certificate-authority-data: ${base64('CA')}}}
users:
- name: u
  user: {${user}}
${more}`;

/** Access by the files of a folder, in the order of their names. */
async function by(
  files: Readonly<Record<string, string>>,
  context?: string,
  clock = new VirtualClock(),
) {
  const folder = folderOf(files);
  const KUBECONFIG = Object.keys(files)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name))
    .join(':');
  const environment = { KUBECONFIG, PATH: process.env.PATH };
  return await kubeconfigAccess({ environment, clock, ...(context && { context }) });
}

test('kubeconfig: server, namespace, authority and token of the current context', async () => {
  const access = await by({ 'a.yaml': config('') });
  assert.equal(access.server, 'https://one:6443');
  assert.equal(access.namespace, 'team');
  const { tls, authorization } = await access.credentials();
  assert.equal(tls.ca, 'CA');
  assert.equal(authorization, 'Bearer secret');
});

test('kubeconfig: --context chooses, the first file that names a thing wins, all are read', async () => {
  const second = `
clusters:
- {name: c, cluster: {server: "https://hidden"}}
- {name: other, cluster: {server: "https://two", insecure-skip-tls-verify: true, tls-server-name: n}}
current-context: nothing`;
  const access = await by({ 'a.yaml': config(''), 'b.yaml': second }, 'two');
  assert.equal(access.server, 'https://two');
  assert.equal(access.namespace, 'default');
  const { tls } = await access.credentials();
  assert.deepEqual([tls.skipVerify, tls.serverName, tls.ca], [true, 'n', null]);
  assert.equal((await by({ 'a.yaml': config(''), 'b.yaml': second })).server, 'https://one:6443');
});

test('kubeconfig: paths are relative to their file, and files are read again when refused', async () => {
  const user = 'client-certificate: me.crt, client-key: me.key, tokenFile: token';
  const folder = folderOf({
    'c.yaml': config('', user),
    'me.crt': 'C',
    'me.key': 'K',
    token: 'one\n',
  });
  const access = await kubeconfigAccess({
    environment: {},
    file: join(folder, 'c.yaml'),
    clock: new VirtualClock(),
  });
  const first = await access.credentials();
  assert.deepEqual([first.tls.cert, first.tls.key, first.authorization], ['C', 'K', 'Bearer one']);
  writeFileSync(join(folder, 'token'), 'two');
  assert.equal((await access.credentials()).authorization, 'Bearer one', 'not read for every call');
  access.refused();
  const second = await access.credentials();
  assert.equal(second.authorization, 'Bearer two');
  assert.equal(second.tls, first.tls, 'the same connections go on');
});

test('kubeconfig: name and password', async () => {
  const access = await by({ 'a.yaml': config('', 'username: me, password: pw') });
  assert.equal((await access.credentials()).authorization, `Basic ${base64('me:pw')}`);
});

test('kubeconfig: where it is looked for', () => {
  assert.deepEqual(kubeconfigPaths({ environment: { HOME: '/h' } }), ['/h/.kube/config']);
  const environment = { HOME: '/h', KUBECONFIG: '/a::/b' };
  assert.deepEqual(kubeconfigPaths({ environment }), ['/a', '/b']);
  assert.deepEqual(kubeconfigPaths({ environment, file: 'x' }), ['x']);
});

const refused: readonly [what: string, text: string, context: string | undefined, says: RegExp][] =
  [
    ['YAML that is none', '{', undefined, /a\.yaml: /],
    ['a field of another type', 'clusters: 5', undefined, /a\.yaml: clusters: /],
    [
      'a server that is no URL',
      'clusters: [{name: c, cluster: {server: x}}]',
      undefined,
      /server: must begin/,
    ],
    ['no current context', 'clusters: []', undefined, /no current-context/],
    ['an unknown context', config(''), 'three', /no context "three".*one, two/],
    ['a context of an unknown cluster', config(''), 'two', /no cluster "other"/],
    [
      'an auth-provider',
      config('', 'auth-provider: {name: gcp}'),
      undefined,
      /auth-provider is not supported/,
    ],
  ];
for (const [what, text, context, says] of refused) {
  test(`kubeconfig: refuses ${what}`, async () => {
    await assert.rejects(by({ 'a.yaml': text }, context), (thrown: Error & { code: string }) => {
      assert.equal(thrown.code, 'WG_KUBECONFIG_INVALID');
      assert.match(thrown.message, says);
      return true;
    });
  });
}

/** A kubeconfig with an exec plugin that is the given shell script. */
function withPlugin(script: string, more = ''): { files: Record<string, string>; folder: string } {
  const folder = folderOf({ plugin: `#!/bin/sh\necho run >> "$0.runs"\n${script}\n` });
  const command = join(folder, 'plugin');
  chmodSync(command, 0o755);
  const exec = `exec: {apiVersion: client.authentication.k8s.io/v1, command: ${command}, args: [a b], env: [{name: X, value: y}]${more}}`;
  return { files: { 'a.yaml': config('', exec) }, folder };
}

const credential = (status: string): string =>
  `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":${status}}'`;

test('exec plugin: gets arguments, environment and KUBERNETES_EXEC_INFO, and gives a token', async () => {
  const script = `[ "$1$X" = "a by" ] || exit 3
case "$KUBERNETES_EXEC_INFO" in *'"server":"https://one:6443/"'*) ;; *) exit 4;; esac
${credential('{"token":"from-plugin"}')}`;
  const { files } = withPlugin(script, ', provideClusterInfo: true');
  const access = await by(files);
  assert.equal((await access.credentials()).authorization, 'Bearer from-plugin');
});

test('exec plugin: is run again when its credential expires or is refused, and not otherwise', async () => {
  const { readFileSync } = await import('node:fs');
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const script = credential('{"token":"t","expirationTimestamp":"2026-01-01T01:00:00Z"}');
  const { files, folder } = withPlugin(script);
  const access = await by(files, undefined, clock);
  const runs = (): number =>
    readFileSync(join(folder, 'plugin.runs'), 'utf8').split('\n').length - 1;
  for (const [atMinutes, expected] of [
    [0, 1],
    [1, 1],
    [58, 1],
    [60, 2],
    [60.1, 2],
  ] as const) {
    clock.moveTo(atMinutes * 60_000);
    await access.credentials();
    assert.equal(runs(), expected, `at minute ${atMinutes}`);
  }
  access.refused();
  await access.credentials();
  assert.equal(runs(), 3);
});

const failing: readonly [what: string, script: string, more: string, says: RegExp][] = [
  [
    'fails',
    'echo "log in first" >&2; exit 1',
    ', installHint: get it there',
    /log in first\nget it there/,
  ],
  ['prints nonsense', 'echo hello', '', /no ExecCredential/],
  ['wants a person', credential('{"token":"t"}'), ', interactiveMode: Always', /person/],
];
for (const [what, script, more, says] of failing) {
  test(`exec plugin: one that ${what} is told, not a crash`, async () => {
    const access = await by(withPlugin(script, more).files);
    await assert.rejects(access.credentials(), (thrown: Error & { code: string }) => {
      assert.equal(thrown.code, 'WG_CREDENTIALS_FAILED');
      assert.match(thrown.message, says);
      return true;
    });
  });
}

test('in a pod: the token is read again in time, the same authority keeps its connections', async () => {
  const clock = new VirtualClock();
  const folder = folderOf({ token: 'one', 'ca.crt': 'CA', namespace: 'wholegroup\n' });
  const log = keptLog();
  const access = await inClusterAccess({ host: 'fd00::1', port: '443', folder, clock, log });
  assert.equal(access.server, 'https://[fd00::1]:443');
  assert.equal(access.namespace, 'wholegroup');
  const first = await access.credentials();
  writeFileSync(join(folder, 'token'), 'two');
  assert.equal((await access.credentials()).authorization, 'Bearer one');
  clock.moveTo(10_000);
  const second = await access.credentials();
  assert.equal(second.authorization, 'Bearer two');
  assert.equal(second.tls, first.tls);
  writeFileSync(join(folder, 'ca.crt'), 'CA2');
  access.refused();
  assert.notEqual((await access.credentials()).tls, first.tls);
});

test('in a pod: files that cannot be read leave what was known in force, and are told', async () => {
  const folder = folderOf({ token: 'one', 'ca.crt': 'CA' });
  const log = keptLog();
  const clock = new VirtualClock();
  const access = await inClusterAccess({ host: 'h', port: '443', folder, clock, log });
  writeFileSync(join(folder, 'token'), '');
  access.refused();
  assert.equal((await access.credentials()).authorization, 'Bearer one');
  assert.match(log.lines[0] ?? '', /^warn cluster-credentials-unreadable .*is empty/);
});

test('in a pod: without a mounted service account it says so', async () => {
  const options = { host: 'h', port: '443', folder: join(root, 'nowhere') };
  const access = inClusterAccess({ ...options, clock: new VirtualClock(), log: keptLog() });
  await assert.rejects(access, { code: 'WG_CREDENTIALS_FAILED' });
});
