// The cache of builds: what it is called by, and that two runs never build at once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { buildKey, cacheFolder, exclusively } from './cache.ts';
import { chosenKubernetes, programs } from './programs.ts';

test('the cache is where the XDG rules put it', () => {
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/var/tmp/cache' }), '/var/tmp/cache/wholegroup');
  assert.match(cacheFolder({}), /\/\.cache\/wholegroup$/);
  assert.match(cacheFolder({ XDG_CACHE_HOME: '' }), /\/\.cache\/wholegroup$/);
});

test('a build is called by its version and by everything that decides what comes out', () => {
  const program = programs.kubernetes;
  const key = buildKey(program);
  assert.match(key, /^kubernetes-1\.37\.2-[0-9a-f]{16}$/);
  assert.equal(buildKey(program), key);
  assert.notEqual(buildKey({ ...program, tags: ['other'] }), key);
  assert.notEqual(buildKey({ ...program, modules: 'kubernetes-1.35' }), key);
});

test('another Kubernetes is chosen by its version or its minor, and only one that is pinned', () => {
  assert.equal(chosenKubernetes(undefined).version, programs.kubernetes.version);
  assert.equal(chosenKubernetes('').version, programs.kubernetes.version);
  for (const wanted of ['1.35', 'v1.35', '1.35.4'])
    assert.equal(chosenKubernetes(wanted).version, '1.35.4', wanted);
  for (const wanted of ['1.3', '1.35.40', '2'])
    assert.throws(() => chosenKubernetes(wanted), /there are 1\.37\.2, 1\.35\.4/, wanted);
});

test('what is done under one name is done one after the other, and the waiting is told once', async () => {
  const name = `wholegroup-test-${process.pid}`;
  const order: string[] = [];
  let inside = 0;
  const work = (id: string) => async (): Promise<void> => {
    assert.equal(++inside, 1);
    order.push(id);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
  };
  let told = 0;
  await Promise.all(
    ['a', 'b', 'c'].map(async (id) => await exclusively(name, () => told++, work(id))),
  );
  assert.deepEqual(order.toSorted(), ['a', 'b', 'c']);
  assert.equal(told, 2);
});

test('work that fails lets the next one in', async () => {
  const name = `wholegroup-test-failing-${process.pid}`;
  const failing = exclusively(
    name,
    () => undefined,
    async () => await Promise.reject(new Error('no')),
  );
  await assert.rejects(failing, /no/);
  assert.equal(
    await exclusively(
      name,
      () => undefined,
      async () => await Promise.resolve(7),
    ),
    7,
  );
});

test('a holder that is killed holds up nobody', async () => {
  const name = `wholegroup-test-killed-${process.pid}`;
  const cache = pathToFileURL(join(import.meta.dirname, 'cache.ts')).href;
  const source = `import { exclusively } from ${JSON.stringify(cache)};
    await exclusively(${JSON.stringify(name)}, () => {}, () => { console.log('in'); return new Promise(() => setInterval(() => {}, 1000)); });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', source]);
  await once(holder.stdout, 'data');
  let waited = false;
  const next = exclusively(
    name,
    () => (waited = true),
    async () => await Promise.resolve('entered'),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  holder.kill('SIGKILL');
  assert.equal(await next, 'entered');
  assert(waited);
});
