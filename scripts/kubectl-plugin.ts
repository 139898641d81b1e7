// The kubectl plugin as files: one program that any Node.js from 20 on runs, the program that kubectl's completion asks,
// an archive of both, and a krew manifest for wherever the archive is going to be.
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { stringify } from 'yaml';
import { completionScripts } from '../src/cli/kubectl/commands/completion.ts';
import { root } from './generated.ts';
import { type Entry, tar } from './image/tar.ts';
import { licences, manifestOf, packagesIn, refuseDevelopersTools } from './packages-inside.ts';

/** Name by which kubectl finds it. */
const program = 'kubectl-wholegroup';
/** Node.js that has everything the plugin uses; tsconfig.kubectl.json holds its sources to that. */
export const nodeMajorMin = 20;
/** EX_UNAVAILABLE. */
const cannotRun = 69;
/** First in the program: an older Node.js would end it somewhere in the middle with a trace. */
const nodeCheck = `if (Number.parseInt(process.versions.node, 10) < ${nodeMajorMin}) {
  console.error('kubectl-wholegroup needs Node.js ${nodeMajorMin} or newer; the node in PATH is ' + process.versions.node);
  process.exit(${cannotRun});
}`;

/** Makes the plugin in a folder, which can stand in PATH as it is. */
export async function makePlugin(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { [program]: 'src/cli/kubectl-main.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: `node${nodeMajorMin}`,
    // Packages of the older kind look for `require`.
    banner: {
      js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${nodeCheck}`,
    },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const packages = packagesIn(metafile);
  refuseDevelopersTools(packages);
  const starter = `#!/bin/sh\nexec node "$(dirname "$(readlink -f "$0")")/${program}.mjs" "$@"\n`;
  const scripts = { [program]: starter, 'kubectl_complete-wholegroup': completionScripts.kubectl };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, 'LICENSES-OF-PACKAGES.txt'), licences(packages));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

/** A reproducible archive of a folder's files. */
function archive(folder: string): Buffer {
  const entries = readdirSync(folder).map(
    (path): Entry => ({
      ...{ kind: 'file', path, content: readFileSync(join(folder, path)) },
      mode: path.startsWith('kubectl') && !path.endsWith('.mjs') ? 0o755 : 0o644,
    }),
  );
  return gzipSync(tar(entries, Number(process.env['SOURCE_DATE_EPOCH'] ?? 0)), { level: 9 });
}

/** The manifest that krew installs by; `uri`: where the archive is going to be. */
function krewManifest(packed: Buffer, uri: string): string {
  const { version } = manifestOf();
  const platform = {
    uri,
    sha256: createHash('sha256').update(packed).digest('hex'),
    bin: program,
  };
  const manifest = {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'wholegroup' },
    spec: {
      version: `v${version}`,
      shortDescription: 'Who has which IOMMU group, and why not',
      description:
        'Shows the IOMMU groups that wholegroup manages as a tree of nodes, groups and PCI functions; explains why a\n' +
        'device is not offered, who has it, and why a pod waits for it; takes groups out of service and back.\n',
      caveats:
        `Needs Node.js ${nodeMajorMin} or newer in PATH.\n` +
        'Completion: kubectl wholegroup completion kubectl > FOLDER-IN-PATH/kubectl_complete-wholegroup\n' +
        'and make that file executable.\n',
      platforms: [
        {
          selector: {
            matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }],
          },
          ...platform,
        },
      ],
    },
  };
  return stringify(manifest, { lineWidth: 0 });
}

/** Makes plugin, archive and, with the address where the archive is going to be, krew's manifest. Returns their paths. */
export async function packPlugin(dist: string, uri: string | null): Promise<readonly string[]> {
  const folder = join(dist, 'kubectl');
  await makePlugin(folder);
  const packed = archive(folder);
  const path = join(dist, `${program}-${manifestOf().version}.tar.gz`);
  writeFileSync(path, packed);
  if (uri === null) return [folder, path];
  const manifestPath = join(dist, 'wholegroup.yaml');
  writeFileSync(manifestPath, krewManifest(packed, uri));
  return [folder, path, manifestPath];
}
