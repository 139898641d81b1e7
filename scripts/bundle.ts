// Makes dist/: `npm run bundle`; with --kubectl the kubectl plugin as well, with --krew URL its krew manifest too. One file per command that is loaded only when it is used, the lane's program, and
// the files that are read at run time. Needs no node_modules afterwards; refuses to take in what only developers use.
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build as esbuild, type Metafile, type Plugin } from 'esbuild';
import { agentNodeFlags } from './agent-flags.ts';
import { root } from './generated.ts';
import { packPlugin } from './kubectl-plugin.ts';
import {
  licences,
  listOf,
  manifestOf,
  type Packages,
  packagesIn,
  refuseDevelopersTools,
} from './packages-inside.ts';

const dist = join(root, 'dist');
// Made beside the old one and put in its place at the end: whoever runs dist/ never sees half of it.
const fresh = join(root, 'dist.new');

/**
 * Takes Node's own modules from process.getBuiltinModule. An `import` of one makes Node read every export of it,
 * and some of those load half of Node: node:http has a getter that loads undici, node:crypto one for WebCrypto
 * (lib/internal/bootstrap/realm.js, syncExports). It saves 12 MB of memory and 40 ms at start.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup: (build) => {
    const names = builtinModules.map((name) => name.replace(/^node:/, '')).join('|');
    build.onResolve({ filter: new RegExp(`^(?:node:)?(?:${names})$`) }, ({ path }) => ({
      path: path.replace(/^(?:node:)?/, 'node:'),
      namespace: 'builtin',
    }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

async function bundle(): Promise<Metafile> {
  const { metafile } = await esbuild({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts', 'lane-child': 'src/kernel/linux/lane-child.ts' },
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    minifySyntax: true,
    minifyWhitespace: true,
    // Names stay: a stack trace in a bug report is worth more than the bytes.
    minifyIdentifiers: false,
    legalComments: 'none',
    metafile: true,
    plugins: [builtins],
    logLevel: 'warning',
  });
  return metafile;
}

function copyWhatIsRead(): void {
  cpSync(join(root, 'protos'), join(fresh, 'protos'), { recursive: true });
  cpSync(join(root, 'src/kernel/model/topologies'), join(fresh, 'topologies'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(fresh, 'LICENSE'));
  // "type": without it Node reads every file twice to find out that it is a module.
  const { name, version, license } = manifestOf();
  const own = { name, version, license, type: 'module', bin: { [name]: 'main.js' } };
  writeFileSync(join(fresh, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
}

/** Whoever starts the bundle as a program gets Node's flags with it. */
function writeFirstLine(): void {
  const path = join(fresh, 'main.js');
  const text = readFileSync(path, 'utf8');
  const line = `#!/usr/bin/env -S node ${agentNodeFlags.join(' ')}\n`;
  writeFileSync(path, text.replace(/^#!.*\n/, line));
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0).padStart(6)} KiB`;

function printSizes(metafile: Metafile, packages: Packages): void {
  for (const [path, { bytes, entryPoint }] of Object.entries(metafile.outputs).sort(
    ([, a], [, b]) => b.bytes - a.bytes,
  )) {
    const of = entryPoint === undefined ? 'shared' : entryPoint;
    console.log(`${kib(bytes)}  ${path.replace('dist.new/', 'dist/').padEnd(34)} ${of}`);
  }
  const files = globSync('**/*', { cwd: dist }).map((file) => statSync(join(dist, file)));
  const total = files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0);
  console.log(`${kib(total)}  dist/, with code of ${packages.size} packages`);
}

const { values: flags } = parseArgs({
  options: { kubectl: { type: 'boolean', default: false }, krew: { type: 'string' } },
});
if (flags.krew !== undefined && !URL.canParse(flags.krew)) {
  console.error(
    `--krew "${flags.krew}" is not the address of an archive: https://HOST/FILE.tar.gz`,
  );
  process.exit(64);
}
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
const metafile = await bundle();
const packages = packagesIn(metafile);
refuseDevelopersTools(packages);
writeFileSync(join(fresh, 'packages.json'), listOf(packages));
writeFileSync(join(fresh, 'LICENSES-OF-PACKAGES.txt'), licences(packages));
copyWhatIsRead();
writeFirstLine();
if (existsSync(dist)) rmSync(dist, { recursive: true });
renameSync(fresh, dist);
printSizes(metafile, packages);
if (flags.kubectl || flags.krew !== undefined) {
  const made = await packPlugin(dist, flags.krew ?? null);
  for (const path of made) console.log(relative(root, path));
}
