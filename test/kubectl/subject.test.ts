// What a person means on the command line of the plugin, by form alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAddress, parseSubject, type Subject } from '../../src/kubectl/subject.ts';

const meant: Readonly<Record<string, Subject>> = {
  '0000:65:00.0': { kind: 'address', address: '0000:65:00.0', node: null },
  '65:00.0': { kind: 'address', address: '65:00.0', node: null },
  '0000:AB:00.0': { kind: 'address', address: '0000:ab:00.0', node: null },
  '10000:01:00.0': { kind: 'address', address: '10000:01:00.0', node: null },
  'worker-1/65:00.0': { kind: 'address', address: '65:00.0', node: 'worker-1' },
  'group/65:00.0': { kind: 'address', address: '65:00.0', node: null },
  'ig/worker-1-0000-65-00-0': { kind: 'group', name: 'worker-1-0000-65-00-0' },
  'iommugroup.wholegroup.dev/worker-1-0000-65-00-0': {
    kind: 'group',
    name: 'worker-1-0000-65-00-0',
  },
  'PTP/nics': { kind: 'policy', name: 'nics' },
  'node/n1.example.com': { kind: 'node', name: 'n1.example.com' },
  'pod/train-0': { kind: 'pod', name: 'train-0', namespace: null },
  'ml/train-0': { kind: 'pod', name: 'train-0', namespace: 'ml' },
  nics: { kind: 'name', name: 'nics' },
};

for (const [text, subject] of Object.entries(meant)) {
  test(`"${text}" means ${JSON.stringify(subject)}`, () => {
    assert.deepEqual(parseSubject(text), { ok: true, value: subject });
  });
}

for (const text of ['', '/', 'a/', '/a', 'a/b/c', 'Nics', 'worker_1', 'ig/Worker', '65:00.9']) {
  test(`"${text}" means nothing, and the forms are named`, () => {
    const parsed = parseSubject(text);
    assert(!parsed.ok);
    assert.match(parsed.problem, /is none of ADDRESS, NODE\/ADDRESS/);
  });
}

test('an address without its domain fits every domain, and nothing else', () => {
  assert(isAddress('65:00.0', '0000:65:00.0'));
  assert(isAddress('65:00.0', '10000:65:00.0'));
  assert(!isAddress('0000:65:00.0', '0001:65:00.0'));
  assert(!isAddress('5:00.0', '0000:65:00.0'));
});
