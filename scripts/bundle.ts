// Makes dist/: `npm run bundle`. One file per command that is loaded only when it is used, the lane's program, and
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
import { join } from 'node:path';
import { build as esbuild, type Metafile, type Plugin } from 'esbuild';
import { agentNodeFlags } from './agent-flags.ts';
import { root } from './generated.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
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

/** The package in node_modules that a file belongs to; null for a file of ours. */
function packageOf(path: string): string | null {
  return (
    /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(path)?.[1] ?? null
  );
}

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

/** Folders of the packages that are inside, by name. */
function packagesIn(metafile: Metafile): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = packageOf(path);
      if (name === null || bytesInOutput === 0) continue;
      found.set(
        name,
        path.slice(0, path.lastIndexOf(`node_modules/${name}/`)) + `node_modules/${name}`,
      );
    }
  }
  return found;
}

function refuseDevelopersTools(packages: ReadonlyMap<string, string>): void {
  const wrong = Object.keys(manifest.devDependencies).filter((name) => packages.has(name));
  if (wrong.length > 0)
    throw new Error(`dist/ would contain ${wrong.join(', ')}, which only developers use`);
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** What is inside, for a bill of materials. */
function listOf(packages: ReadonlyMap<string, string>): string {
  const list = [...packages].sort(byName).map(([name, folder]) => {
    const { version, license } = manifestOf(folder);
    return { name, version, license };
  });
  return `${JSON.stringify(list, null, 2)}\n`;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Licences of everything inside, as they ask for. */
function licences(packages: ReadonlyMap<string, string>): string {
  const parts = [...packages].sort(byName).map(([name, folder]) => {
    const { version, license } = manifestOf(folder);
    const [file] = globSync('{LICEN[CS]E,COPYING,licen[cs]e}*', {
      cwd: join(root, folder),
    }).sort();
    const text =
      file === undefined ? '' : `\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}`;
    return `${name} ${version} (${license})${text}\n`;
  });
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

function copyWhatIsRead(): void {
  cpSync(join(root, 'protos'), join(fresh, 'protos'), { recursive: true });
  cpSync(join(root, 'src/kernel/model/topologies'), join(fresh, 'topologies'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(fresh, 'LICENSE'));
  // "type": without it Node reads every file twice to find out that it is a module.
  const { name, version, license } = manifest;
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

function printSizes(metafile: Metafile, packages: ReadonlyMap<string, string>): void {
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
