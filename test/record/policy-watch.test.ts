// Policy files on a real file system, watched in real time.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Log } from '../../src/base/log.ts';
import { realClock } from '../../src/observe/real-clock.ts';
import type { PolicyState } from '../../src/record/policy-files.ts';
import { watchPolicies } from '../../src/record/policy-watch.ts';

const base = await mkdtemp(join(tmpdir(), 'wholegroup-policies-'));
after(() => rm(base, { recursive: true, force: true }));
let folders = 0;
async function newDir(): Promise<string> {
  const dir = join(base, `policies-${folders++}`);
  await mkdir(dir);
  return dir;
}

const policy = (name: string, priority = 0): string => `apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: ${name}}
spec: {resourceName: example.com/${name}, priority: ${priority}, devices: [{vendor: "10de"}]}
`;

interface Watched {
  readonly states: PolicyState[];
  readonly log: string[];
  /** Resolves with the first state, past or to come, that `wanted` accepts. */
  until(wanted: (state: PolicyState) => boolean): Promise<PolicyState>;
  close(): void;
}

function watched(path: string, times: { pollMs?: number; settleMs?: number } = {}): Watched {
  const states: PolicyState[] = [];
  const events: string[] = [];
  const note = (event: string): void => void events.push(event);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  let wake: () => void = () => undefined;
  const options = { path, clock: realClock(), log, pollMs: 2000, settleMs: 20, ...times };
  const watch = watchPolicies(options, (state) => {
    states.push(state);
    wake();
  });
  return {
    states,
    log: events,
    until: async (wanted) => {
      for (let seen = 0; ; seen++) {
        while (seen >= states.length) await new Promise<void>((resolve) => (wake = resolve));
        const state = states[seen];
        if (state !== undefined && wanted(state)) return state;
      }
    },
    close: () => watch.close(),
  };
}

const namesOf = (state: PolicyState): string => state.policies.map((each) => each.name).join(' ');
const has = (names: string) => (state: PolicyState) => namesOf(state) === names;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 120));

async function withWatch(
  path: string,
  run: (watch: Watched) => Promise<void>,
  times?: { pollMs?: number; settleMs?: number },
): Promise<void> {
  const watch = watched(path, times);
  try {
    await run(watch);
  } finally {
    watch.close();
  }
}

test('an empty folder is told as no policies, once', async () => {
  await withWatch(await newDir(), async (watch) => {
    assert.deepEqual(await watch.until(() => true), { policies: [], problems: [] });
    await settled();
    assert.equal(watch.states.length, 1);
  });
});

test('a folder is read in order of name; other names and dot files are not policies', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'b.yml'), policy('b'));
  await writeFile(join(dir, 'a.json'), JSON.stringify({ kind: 'ConfigMap' }));
  await writeFile(join(dir, 'c.yaml'), `${policy('c')}---\n${policy('a')}`);
  await writeFile(join(dir, 'notes.txt'), 'x');
  await writeFile(join(dir, '.swap.yaml'), 'x');
  await withWatch(dir, async (watch) => {
    const state = await watch.until(() => true);
    assert.equal(namesOf(state), 'a b c');
    assert.deepEqual(
      state.problems.map((each) => each.path),
      [`${join(dir, 'a.json')}:1: kind`],
    );
    assert(watch.log.includes('policy problem') && watch.log.includes('policies loaded'));
  });
});

test('an added, a changed and a deleted file of a folder are noticed', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'a.yaml'), policy('a'));
  await withWatch(dir, async (watch) => {
    await watch.until(has('a'));
    await writeFile(join(dir, 'b.yaml'), policy('b'));
    await watch.until(has('a b'));
    await writeFile(join(dir, 'b.yaml'), policy('b', 7));
    await watch.until((state) => state.policies[1]?.priority === 7);
    await unlink(join(dir, 'a.yaml'));
    await watch.until(has('b'));
  });
});

test('a file replaced by an atomic rename is noticed, every time', async () => {
  const dir = await newDir();
  const file = join(dir, 'a.yaml');
  await writeFile(file, policy('a', 1));
  await withWatch(file, async (watch) => {
    for (const priority of [2, 3, 4]) {
      await writeFile(join(dir, '.a.yaml.tmp'), policy('a', priority));
      await rename(join(dir, '.a.yaml.tmp'), file);
      await watch.until((state) => state.policies[0]?.priority === priority);
    }
  });
});

test('a bad edit leaves the last good content in force and says so; the repair is taken', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'a.yaml'), policy('a', 1));
  await writeFile(join(dir, 'b.yaml'), policy('b'));
  await withWatch(dir, async (watch) => {
    await watch.until(has('a b'));
    await writeFile(
      join(dir, 'a.yaml'),
      `${policy('new')}---\n${policy('a').replace('10de', 'nope')}`,
    );
    const bad = await watch.until((state) => state.problems.length > 0);
    assert.equal(namesOf(bad), 'a b');
    assert.equal(bad.policies[0]?.priority, 1);
    assert.match(bad.problems[0]?.path ?? '', /a\.yaml:9: document 2: spec\.devices\[0\]\.vendor$/);
    assert.match(bad.problems.at(-1)?.message ?? '', /what it said before stays in force/);
    await writeFile(join(dir, 'a.yaml'), policy('a', 2));
    const good = await watch.until((state) => state.policies[0]?.priority === 2);
    assert.deepEqual(good.problems, []);
  });
});

test('a file that is emptied keeps its policies in force', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'a.yaml'), policy('a'));
  await withWatch(dir, async (watch) => {
    await watch.until(has('a'));
    await writeFile(join(dir, 'a.yaml'), '');
    const state = await watch.until((each) => each.problems.length > 0);
    assert.equal(namesOf(state), 'a');
    assert.match(
      state.problems[0]?.message ?? '',
      /holds no policy; to withdraw the policies of a file, delete the file/,
    );
  });
});

test('a policy file that vanishes, as a file or with its folder, keeps its policies in force', async () => {
  const dir = await newDir();
  const file = join(dir, 'a.yaml');
  for (const path of [file, dir]) {
    await mkdir(dir, { recursive: true });
    await writeFile(file, policy('a'));
    await withWatch(
      path,
      async (watch) => {
        await watch.until(has('a'));
        await rm(path, { recursive: true });
        const state = await watch.until((each) => each.problems.length > 0);
        assert.equal(namesOf(state), 'a');
        assert.match(
          state.problems[0]?.message ?? '',
          /cannot be read: ENOENT.*; the policies read before stay in force/,
        );
        await mkdir(dir, { recursive: true });
        await writeFile(file, policy('b'));
        await watch.until(has('b'));
      },
      { pollMs: 50 },
    );
  }
});

test('a path that does not exist yet is told as a problem and taken when it comes', async () => {
  const dir = join(await newDir(), 'later');
  await withWatch(
    dir,
    async (watch) => {
      const none = await watch.until(() => true);
      assert.deepEqual(none.policies, []);
      assert.match(none.problems[0]?.message ?? '', /cannot be read: ENOENT/);
      await mkdir(dir);
      await writeFile(join(dir, 'a.yaml'), policy('a'));
      const state = await watch.until(has('a'));
      assert.deepEqual(state.problems, []);
    },
    { pollMs: 50 },
  );
});

test('a mounted ConfigMap is noticed when its ..data link is swapped', async () => {
  const dir = await newDir();
  const publish = async (revision: string, priority: number): Promise<void> => {
    await mkdir(join(dir, `..${revision}`));
    await writeFile(join(dir, `..${revision}`, 'a.yaml'), policy('a', priority));
    await symlink(`..${revision}`, join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  await publish('1', 1);
  await symlink('..data/a.yaml', join(dir, 'a.yaml'));
  await withWatch(dir, async (watch) => {
    await watch.until(has('a'));
    await publish('2', 2);
    await watch.until((state) => state.policies[0]?.priority === 2);
  });
});

test('of two files with one policy name the first by name is in force, the other is told', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'one.yaml'), policy('a', 1));
  await writeFile(join(dir, 'two.yaml'), policy('a', 2));
  await withWatch(dir, async (watch) => {
    const state = await watch.until(() => true);
    assert.equal(state.policies[0]?.priority, 1);
    assert.match(
      state.problems[0]?.message ?? '',
      /policy "a" has the name of a policy in one\.yaml, which is in force/,
    );
    await unlink(join(dir, 'one.yaml'));
    await watch.until((each) => each.policies[0]?.priority === 2 && each.problems.length === 0);
  });
});

test('folders, pipes, huge files and other encodings under a policy name are problems, not hangs', async () => {
  const dir = await newDir();
  await mkdir(join(dir, 'folder.yaml'));
  await writeFile(join(dir, 'huge.yaml'), Buffer.alloc(1024 * 1024 + 1, '#'));
  await writeFile(join(dir, 'latin.yaml'), Buffer.from([0x61, 0xff, 0xfe]));
  await symlink('nowhere', join(dir, 'link.yaml'));
  await withWatch(dir, async (watch) => {
    const told = (await watch.until(() => true)).problems.map((each) => each.message).join('\n');
    for (const part of [/not a regular file/, /has 1048577 bytes/, /not UTF-8/, /ENOENT/])
      assert.match(told, part);
  });
});

test('without notifications the poll notices a change', async () => {
  const dir = await newDir();
  const target = join(await newDir(), 'elsewhere');
  await writeFile(target, policy('a', 1));
  await symlink(target, join(dir, 'a.yaml'));
  await withWatch(
    dir,
    async (watch) => {
      await watch.until(has('a'));
      await writeFile(target, policy('a', 2));
      await watch.until((state) => state.policies[0]?.priority === 2);
    },
    { pollMs: 50 },
  );
});

test('a file that is written in pieces is read once, when it is whole', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'a.yaml'), policy('a', 1));
  await withWatch(
    dir,
    async (watch) => {
      await watch.until(has('a'));
      const text = policy('a', 2);
      for (let end = 10; end < text.length; end += 40) {
        await writeFile(join(dir, 'a.yaml'), text.slice(0, end));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await writeFile(join(dir, 'a.yaml'), text);
      await watch.until((state) => state.policies[0]?.priority === 2);
      assert(watch.states.every((state) => state.problems.length === 0));
    },
    { settleMs: 150 },
  );
});

test('after close nothing is told any more', async () => {
  const dir = await newDir();
  const watch = watched(dir);
  await watch.until(() => true);
  watch.close();
  await writeFile(join(dir, 'a.yaml'), policy('a'));
  await settled();
  assert.equal(watch.states.length, 1);
});
