// The capabilities of the agent in a real container: each is taken away, and what is not seen any more is told. With a
// simulated kernel the chart gives none, so that a pod like the agent's looks at the node itself: its processes, its
// memory map. What they are for on a real kernel is for other suites.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openStage } from '../stage/install.ts';
import { agentCapabilities } from '../stage/shipped.ts';
import type { Stage } from '../stage/stage.ts';
import { until } from '../stage/wait.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const given = agentCapabilities();
/** User of the pod whose open files are looked for besides those of root. */
const somebody = 4711;
let stage: Stage;
before(async () => {
  stage = await openStage({ install: false });
  await stage.runPod({ podName: 'of-root' });
  await stage.runPod({ podName: 'of-somebody', user: somebody });
});
after(async () => await stage?.[Symbol.asyncDispose]());

/** Looks for the open files of sleeping processes of two users, and for addresses of memory. */
const look = `
const fs = require('node:fs');
const files = (user) => fs.readdirSync('/host/proc').filter((pid) => /^[0-9]+$/.test(pid)).some((pid) => {
  try {
    if (!fs.readFileSync('/host/proc/' + pid + '/cmdline', 'latin1').startsWith('sleep')) return false;
    if (!fs.readFileSync('/host/proc/' + pid + '/status', 'latin1').includes('Uid:\\t' + user + '\\t')) return false;
    return fs.readdirSync('/host/proc/' + pid + '/fd').map((fd) => fs.readlinkSync('/host/proc/' + pid + '/fd/' + fd)).length > 0;
  } catch { return false; }
});
const addresses = fs.readFileSync('/host/proc/iomem', 'latin1').split('\\n').some((line) => /^\\s*[0-9a-f]*[1-9a-f]/.test(line));
console.log('SEEN ' + JSON.stringify({ root: files(0), other: files(${somebody}), addresses }));
`;

/** What a pod with the agent's security context but only these capabilities sees of its node. */
async function seenWith(podName: string, add: readonly string[]): Promise<unknown> {
  const container = {
    name: 'main',
    image: `localhost/wholegroup:${version}`,
    imagePullPolicy: 'Never',
    command: ['/usr/bin/node', '-e', look],
    securityContext: {
      ...{ privileged: false, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'], add },
    },
    volumeMounts: [{ name: 'proc', mountPath: '/host/proc', readOnly: true }],
  };
  await stage.create('/api/v1/namespaces/default/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: {
        ...{ runAsUser: 0, runAsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } },
        appArmorProfile: { type: 'Unconfined' },
      },
      containers: [container],
      volumes: [{ name: 'proc', hostPath: { path: '/proc', type: 'Directory' } }],
    },
  });
  const text = await until(`${podName} says what it sees`, async () => {
    return /SEEN (.*)/.exec(await stage.logs(podName))?.[1] ?? null;
  });
  return JSON.parse(text);
}

test('with all that the chart gives, everything is seen', async () => {
  assert.deepEqual(await seenWith('with-all', given), { root: true, other: true, addresses: true });
});

for (const [name, seen] of [
  ['SYS_PTRACE', { root: false, other: false, addresses: true }],
  ['DAC_READ_SEARCH', { root: true, other: false, addresses: true }],
  ['SYS_ADMIN', { root: true, other: true, addresses: false }],
] as const) {
  test(`without ${name}: ${JSON.stringify(seen)}`, async () => {
    assert.ok(given.includes(name));
    const others = given.filter((each) => each !== name);
    const podName = `without-${name.toLowerCase().replaceAll('_', '-')}`;
    assert.deepEqual(await seenWith(podName, others), seen);
  });
}
