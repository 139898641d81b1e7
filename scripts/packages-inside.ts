// Which packages of node_modules a bundle has inside, and what their licences ask for.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { root } from './generated.ts';

/** package.json, as far as it is read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Folders of packages by their names. */
export type Packages = ReadonlyMap<string, string>;

/** package.json of a folder of the repository. */
export function manifestOf(folder = '.'): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** The package in node_modules that a file belongs to; null for a file of ours. */
function packageOf(path: string): string | null {
  return (
    /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(path)?.[1] ?? null
  );
}

/** The packages that are inside. */
export function packagesIn(metafile: Metafile): Packages {
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

/** Throws when something is inside that only developers use. */
export function refuseDevelopersTools(packages: Packages): void {
  const wrong = Object.keys(manifestOf().devDependencies).filter((name) => packages.has(name));
  if (wrong.length > 0)
    throw new Error(`dist/ would contain ${wrong.join(', ')}, which only developers use`);
}

/** What is inside, for a bill of materials. */
export function listOf(packages: Packages): string {
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
export function licences(packages: Packages): string {
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
