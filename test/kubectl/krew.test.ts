// What `npm run bundle -- --krew URL` makes: an archive that is the same every time, and a manifest that fits it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { makePlugin, packPlugin } from '../../scripts/kubectl-plugin.ts';

interface KrewManifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly platforms: readonly { uri: string; sha256: string; bin: string }[];
  };
}

test('the manifest names the archive by its address and its sum, and a program that is in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-krew-'));
  try {
    const uri = 'https://files.example.com/kubectl-wholegroup.tar.gz';
    const [, archive = '', manifest = ''] = await packPlugin(join(folder, 'a'), uri);
    const { metadata, spec } = parse(readFileSync(manifest, 'utf8')) as KrewManifest;
    // krew wants the file's name to be the plugin's, and a version that begins with a v.
    assert.equal(basename(manifest), `${metadata.name}.yaml`);
    assert.match(spec.version, /^v\d+\.\d+\.\d+$/);
    const packed = readFileSync(archive);
    const sha256 = createHash('sha256').update(packed).digest('hex');
    const [platform] = spec.platforms;
    assert.deepEqual([platform?.uri, platform?.sha256], [uri, sha256]);
    const listed = spawnSync('tar', ['tzf', archive], { encoding: 'utf8' }).stdout.split('\n');
    assert(listed.includes(platform?.bin ?? ''), listed.join(' '));
    const [, again = ''] = await packPlugin(join(folder, 'b'), null);
    assert(readFileSync(again).equals(packed), 'the same files make the same archive');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a Node.js that is too old for the plugin is told so, and nothing else happens', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-plugin-'));
  try {
    await makePlugin(folder);
    const run = (version: string) => {
      const older = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
      const flags = ['--import', `data:text/javascript,${encodeURIComponent(older)}`];
      const program = join(folder, 'kubectl-wholegroup.mjs');
      return spawnSync(process.execPath, [...flags, program, '--help'], { encoding: 'utf8' });
    };
    const old = run('18.19.1');
    assert.deepEqual([old.status, old.stdout], [69, '']);
    assert.equal(
      old.stderr,
      'kubectl-wholegroup needs Node.js 20 or newer; the node in PATH is 18.19.1\n',
    );
    assert.equal(run('20.0.0').status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
