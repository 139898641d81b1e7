import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import { CdiFiles, cdiFileName } from '../../src/kubelet/cdi-files.ts';
import { cdiSpec } from '../../src/kubelet/cdi.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import { resourceName } from './test-door.ts';

const leader = '0000:65:00.0' as PciAddress;
const vmd = '10000:e1:00.0' as PciAddress;
const specFor = (path: string) =>
  cdiSpec({
    resource: resourceName('example.com/gpu'),
    leader,
    nodes: [{ path, hostPath: null, numbers: null }],
    owner: null,
    env: {},
  });

describe('CDI spec files', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'wg-cdi-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  test('are written into a folder that is made, replaced whole, and listed by leader', async () => {
    const folder = join(root, 'deep', 'cdi');
    const files = new CdiFiles(folder);
    await files.write(leader, specFor('/dev/vfio/17'));
    await files.write(vmd, specFor('/dev/vfio/3'));
    await files.write(leader, specFor('/dev/vfio/99'));
    assert.deepEqual(await files.list(), [leader, vmd]);
    assert.deepEqual((await readdir(folder)).sort(), [
      'wholegroup-0000-65-00-0.json',
      'wholegroup-10000-e1-00-0.json',
    ]);
    assert.deepEqual(
      JSON.parse(await readFile(join(folder, cdiFileName(leader)), 'utf8')),
      specFor('/dev/vfio/99'),
    );
  });

  test('a reader never sees a half-written file', async () => {
    const folder = join(root, 'readers');
    const files = new CdiFiles(folder);
    await files.write(leader, specFor('/dev/vfio/0'));
    const stop = new AbortController();
    const names = new Set<string>();
    const watching = (async () => {
      for await (const event of watch(folder, { signal: stop.signal }))
        names.add(event.filename ?? '');
    })().catch(() => undefined);
    for (let i = 1; i < 40; i++) {
      const writing = files.write(leader, specFor(`/dev/vfio/${i}`));
      JSON.parse(await readFile(join(folder, cdiFileName(leader)), 'utf8'));
      await writing;
    }
    stop.abort();
    await watching;
    // What a runtime would take for a spec is only the finished file.
    assert.deepEqual(
      [...names].filter((name) => /\.(json|yaml)$/.test(name)),
      [cdiFileName(leader)],
    );
  });

  test('removing is idempotent and leaves foreign files alone; half-written ones go with the list', async () => {
    const folder = join(root, 'foreign');
    await mkdir(folder);
    await writeFile(join(folder, 'nvidia.yaml'), '');
    await writeFile(join(folder, 'wholegroup-notes.json'), '{}');
    await writeFile(join(folder, '.wholegroup-0000-65-00-0.json.tmp'), '{');
    const files = new CdiFiles(folder);
    await files.write(vmd, specFor('/dev/vfio/3'));
    await files.remove(vmd);
    await files.remove(vmd);
    assert.deepEqual(await files.list(), []);
    assert.deepEqual((await readdir(folder)).sort(), ['nvidia.yaml', 'wholegroup-notes.json']);
  });

  test('a missing folder holds nothing', async () => {
    const files = new CdiFiles(join(root, 'nowhere'));
    assert.deepEqual(await files.list(), []);
    await files.remove(leader);
  });

  test('a folder that cannot be written is a coded error that names the file', async () => {
    const file = join(root, 'not-a-folder');
    await writeFile(file, '');
    await chmod(file, 0o444);
    const files = new CdiFiles(file);
    const calls = [
      () => files.write(leader, specFor('/dev/vfio/1')),
      () => files.list(),
      () => files.remove(leader),
    ];
    for (const call of calls) {
      await assert.rejects(call(), (problem: unknown) => {
        assert.ok(problem instanceof CodedError);
        assert.equal(problem.code, 'WG_CDI_WRITE_FAILED');
        assert.ok(problem.message.includes(file));
        return true;
      });
    }
  });
});
