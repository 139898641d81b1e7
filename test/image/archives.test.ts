// Archives of images are what container tools load, and the same bytes from the same input. The tar of the machine
// reads what we wrote; digests are computed anew.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type ImageSource, imageArchives } from '../../scripts/image/archives.ts';
import { type Entry, tar } from '../../scripts/image/tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-image-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function readTar(archive: Buffer, ...args: string[]): Buffer {
  const done = spawnSync('tar', args, { input: archive });
  assert.equal(done.status, 0, done.stderr.toString());
  return done.stdout;
}

function fileIn(archive: Buffer, path: string): Buffer {
  return readTar(archive, '-xOf', '-', path);
}

function jsonIn(archive: Buffer, path: string): unknown {
  return JSON.parse(fileIn(archive, path).toString());
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const hello: Entry = {
  kind: 'file',
  path: 'bin/hello',
  mode: 0o755,
  content: Buffer.from('#!/bin/node\n'),
};
const source: ImageSource = {
  names: ['localhost/test:1', 'localhost/test:latest'],
  architecture: 'amd64',
  layers: [
    [hello, { kind: 'link', path: 'bin/hi', target: 'hello' }],
    [{ kind: 'file', path: 'etc/motd', mode: 0o644, uid: 65532, content: Buffer.from('hi\n') }],
  ],
  config: { Entrypoint: ['/bin/hello'], User: '65532:65532', Labels: { a: 'b' } },
  timeSeconds: 0,
};

test('a tar holds entries sorted, with the folders above them, modes, owners and one time', () => {
  const deep = `${'folder/'.repeat(30)}file`;
  const archive = tar(
    [
      { kind: 'file', path: deep, mode: 0o600, content: Buffer.alloc(513, 'x') },
      { kind: 'folder', path: 'tmp', mode: 0o1777 },
      { kind: 'link', path: 'a/link', target: '../tmp' },
      { ...hello, uid: 7, gid: 8 },
    ],
    1_700_000_000,
  );
  const listed = readTar(archive, '-tvf', '-', '--numeric-owner', '--utc').toString();
  const lines = listed
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '));
  assert.deepEqual(
    [...lines.slice(0, 4), ...lines.slice(-1)],
    [
      'drwxr-xr-x 0/0 0 2023-11-14 22:13 a/',
      'lrwxrwxrwx 0/0 0 2023-11-14 22:13 a/link -> ../tmp',
      'drwxr-xr-x 0/0 0 2023-11-14 22:13 bin/',
      '-rwxr-xr-x 7/8 12 2023-11-14 22:13 bin/hello',
      'drwxrwxrwt 0/0 0 2023-11-14 22:13 tmp/',
    ],
  );
  assert.equal(fileIn(archive, deep).length, 513);
  assert.equal(archive.length % 512, 0);
});

for (const [what, entries, why] of [
  ['a path named twice', [hello, hello], /twice/],
  ['a path that is too long', [{ ...hello, path: 'x'.repeat(101) }], /too long/],
  ['a link that is too long', [{ kind: 'link', path: 'l', target: 'x'.repeat(101) }], /too long/],
] as const) {
  test(`a tar refuses ${what}`, () => {
    assert.throws(() => tar(entries, 0), why);
  });
}

test('the same input gives the same bytes, in whatever order its files come', () => {
  const first = imageArchives(source);
  const second = imageArchives({
    ...source,
    layers: source.layers.map((layer) => [...layer].reverse()),
  });
  assert.ok(first.oci.equals(second.oci));
  assert.ok(first.docker.equals(second.docker));
  const other = imageArchives({ ...source, timeSeconds: 1 });
  assert.notEqual(first.digest, other.digest);
});

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

test('the OCI archive is a layout in which every descriptor names the bytes that are there', () => {
  const { oci, digest, imageId, compressedBytes } = imageArchives(source);
  const blob = ({ digest: named, size }: Descriptor): Buffer => {
    const bytes = fileIn(oci, `blobs/${named.replace(':', '/')}`);
    assert.equal(sha256(bytes), named);
    assert.equal(bytes.length, size);
    return bytes;
  };
  assert.deepEqual(jsonIn(oci, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
  const { manifests } = jsonIn(oci, 'index.json') as {
    readonly manifests: readonly Descriptor[];
  };
  assert.deepEqual(
    manifests.map(({ annotations }) => annotations),
    ['1', 'latest'].map((tag) => ({
      'io.containerd.image.name': `localhost/test:${tag}`,
      'org.opencontainers.image.ref.name': tag,
    })),
  );
  const [first] = manifests;
  assert.ok(first !== undefined);
  assert.equal(first.digest, digest);
  const manifest = JSON.parse(blob(first).toString()) as {
    readonly config: Descriptor;
    readonly layers: readonly Descriptor[];
  };
  assert.equal(manifest.config.digest, imageId);
  const config = JSON.parse(blob(manifest.config).toString()) as {
    readonly config: object;
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  assert.deepEqual(config.config, source.config);
  const plain = manifest.layers.map((layer) => gunzipSync(blob(layer)));
  assert.deepEqual(config.rootfs.diff_ids, plain.map(sha256));
  assert.equal(fileIn(plain[1] ?? Buffer.alloc(0), 'etc/motd').toString(), 'hi\n');
  assert.equal(
    compressedBytes,
    manifest.layers.reduce((sum, { size }) => sum + size, 0),
  );
});

test("docker's archive names its configuration, its layers and its tags", () => {
  const { docker, imageId } = imageArchives(source);
  const [image] = jsonIn(docker, 'manifest.json') as readonly {
    readonly Config: string;
    readonly RepoTags: readonly string[];
    readonly Layers: readonly string[];
  }[];
  assert.ok(image !== undefined);
  assert.deepEqual(image.RepoTags, source.names);
  assert.equal(sha256(fileIn(docker, image.Config)), imageId);
  const { rootfs } = jsonIn(docker, image.Config) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  const layers = image.Layers.map((path) => sha256(gunzipSync(fileIn(docker, path))));
  assert.deepEqual(layers, rootfs.diff_ids);
});

for (const name of ['test:1', 'localhost/test', 'localhost/a b:1', 'localhost/test@sha256:00']) {
  test(`an image is not named "${name}"`, () => {
    assert.throws(() => imageArchives({ ...source, names: [name] }), /not the full name/);
  });
}
