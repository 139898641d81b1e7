// Makes the image: `npm run image [-- --out FOLDER] [--name NAME:TAG ...]`. Node.js, the bundled agent, udevadm for it to
// listen to, and the libraries they need; no shell, no package manager, and neither docker nor a registry to make it.
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../test/cluster/cache.ts';
import { Unavailable } from '../test/kernel/rig/apt.ts';
import { agentNodeFlags } from './agent-flags.ts';
import { root } from './generated.ts';
import { makeBundle } from './make-bundle.ts';
import { imageArchives } from './image/archives.ts';
import { type Base, debianBase } from './image/debian.ts';
import { withoutDebugInformation } from './image/elf.ts';
import { billOfMaterials, type NpmPackage } from './image/sbom.ts';
import type { Entry } from './image/tar.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
};
const { name: product, version, description, license } = manifest;
const programFolder = 'usr/lib/wholegroup';
const nobody = '65532';
const say = (line: string): void => console.error(line);

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'image') },
    name: { type: 'string', multiple: true, default: [`localhost/${product}:${version}`] },
    revision: { type: 'string' },
  },
});
/** https://reproducible-builds.org/specs/source-date-epoch: 1970 unless somebody says otherwise. */
const timeSeconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
const architecture = arch() === 'arm64' ? 'arm64' : 'amd64';

function file(path: string, content: Buffer | string, mode = 0o644): Entry {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

async function bundle(): Promise<readonly Entry[]> {
  await makeBundle();
  const dist = join(root, 'dist');
  return globSync('**/*', { cwd: dist })
    .filter((path) => statSync(join(dist, path)).isFile())
    .map((path) => {
      const content = readFileSync(join(dist, path));
      if (path !== 'main.js') return file(join(programFolder, path), content);
      // `env` is not in the image. A first line passes one argument at most; the entry point has the flags.
      const program = content.toString().replace(/^#!.*/, '#!/usr/bin/node');
      return file(join(programFolder, path), program, 0o755);
    });
}

/** Names of users for who asks for them, a place for temporary files, the name under which to run it. */
function surroundings(): readonly Entry[] {
  return [
    file('etc/passwd', `root:x:0:0:root:/:/\nnonroot:x:${nobody}:${nobody}:nonroot:/:/\n`),
    file('etc/group', `root:x:0:\nnonroot:x:${nobody}:\n`),
    file('etc/nsswitch.conf', 'hosts: files dns\n'),
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    { kind: 'link', path: 'usr/bin/wholegroup', target: `../lib/wholegroup/main.js` },
  ];
}

function labels(): Readonly<Record<string, string>> {
  const said = {
    title: product,
    description,
    version,
    licenses: license,
    ...(flags.revision === undefined ? {} : { revision: flags.revision }),
  };
  return Object.fromEntries(
    Object.entries(said).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
  );
}

function sbomOf(node: Buffer, base: Base): string {
  const npm = JSON.parse(readFileSync(join(root, 'dist/packages.json'), 'utf8'));
  const parts = process.versions as Readonly<Record<string, string>>;
  const sha256 = createHash('sha256').update(node).digest('hex');
  return billOfMaterials({
    ...{ version, architecture, timeSeconds, debian: base.packages },
    npm: npm as readonly NpmPackage[],
    node: { version: process.versions.node, sha256, parts },
  });
}

async function make(): Promise<void> {
  // with-node runs this with the Node.js of the project: the one that goes into the image.
  const node = readFileSync(process.execPath);
  const program = withoutDebugInformation(node);
  const base = await debianBase(program, join(cacheFolder(process.env), 'image'), say);
  const own = await bundle();
  const sbom = sbomOf(node, base);
  const notice = file(`usr/share/doc/${product}/sbom.spdx.json`, sbom);
  const image = imageArchives({
    names: flags.name,
    ...{ architecture, timeSeconds },
    // What changes seldom comes first: a node that has it fetches only the second layer.
    layers: [
      [...base.entries, file('usr/bin/node', program, 0o755), ...surroundings()],
      [...own, notice],
    ],
    config: {
      Entrypoint: ['/usr/bin/node', ...agentNodeFlags, `/${programFolder}/main.js`],
      // In a pod that shares the host's process IDs, udevadm takes its container for a chroot, in which it does nothing.
      Env: ['PATH=/usr/bin', 'SYSTEMD_IGNORE_CHROOT=1'],
      User: `${nobody}:${nobody}`,
      WorkingDir: '/',
      Labels: labels(),
    },
  });
  mkdirSync(flags.out, { recursive: true });
  const stem = join(flags.out, `${product}-${version}-${architecture}`);
  writeFileSync(`${stem}.oci.tar`, image.oci);
  writeFileSync(`${stem}.docker.tar`, image.docker);
  writeFileSync(`${stem}.spdx.json`, sbom);
  const mib = (image.compressedBytes / 2 ** 20).toFixed(1);
  console.log(`${stem}.oci.tar\n${stem}.docker.tar\n${stem}.spdx.json`);
  console.log(`${flags.name.join(', ')}: ${image.digest}, ${mib} MiB compressed`);
}

try {
  await make();
} catch (thrown) {
  if (!(thrown instanceof Unavailable)) throw thrown;
  console.error(`skipped: the image was not made: ${thrown.message}`);
  process.exitCode = 69;
}
