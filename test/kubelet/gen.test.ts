import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CodedError } from '../../src/base/errors.ts';
import { loadDevicePluginWire } from '../../src/kubelet/wire/load.ts';

const root = join(import.meta.dirname, '..', '..');

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path, 'utf8'));
  }
  return files;
}

describe('the protocol types', () => {
  test('are what the generator makes of protos/ now', async () => {
    const out = await mkdtemp(join(tmpdir(), 'wg-gen-'));
    try {
      await promisify(execFile)(
        process.execPath,
        [
          join(root, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js'),
          ...['--keepCase', '--longs=String', '--enums=String', '--defaults', '--oneofs'],
          ...['--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts', `--outDir=${out}`],
          ...['protos/deviceplugin.proto', 'protos/podresources.proto'],
        ],
        { cwd: root },
      );
      assert.deepEqual(await filesOf(out), await filesOf(join(root, 'src/kubelet/gen')));
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  });

  test('a folder without the descriptions is told by its path', () => {
    assert.throws(
      () => loadDevicePluginWire('/nowhere'),
      (problem: unknown) =>
        problem instanceof CodedError && problem.message.includes('/nowhere/deviceplugin.proto'),
    );
  });
});
