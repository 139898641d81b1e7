// Every generated file of the repository with the text it must have: written by `npm run gen`, compared by
// `npm run check` and by a test.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { customResourceDefinitions } from '../src/api/definitions.ts';
import { chartValuesPage } from './chart-page.ts';
import {
  blockersPage,
  commandsPage,
  errorsPage,
  eventsPage,
  kubectlPage,
  kubernetesEventsPage,
  exitCodesPage,
  metricsPage,
} from './reference.ts';
import { customResourcesPage } from './resource-page.ts';
import { lintConfiguration } from './walls.ts';

/** The root of the repository. */
export const root = join(import.meta.dirname, '..');

/** The options that src/kubelet/wire/load.ts loads with: types and values must agree. */
const wireOptions = [
  ...['--keepCase', '--longs=String', '--enums=String', '--defaults', '--oneofs'],
  ...['--grpcLib=@grpc/grpc-js', '--targetFileExtension=.ts', '--importFileExtension=.ts'],
];

/** Folder of the generated protocol types: whatever else lies in it is stale. */
export const wireFolder = 'src/kubelet/gen';

function wireTypes(): Map<string, string> {
  const out = mkdtempSync(join(tmpdir(), 'wholegroup-gen-'));
  try {
    const tool = join(
      root,
      'node_modules',
      '@grpc',
      'proto-loader',
      'build',
      'bin',
      'proto-loader-gen-types.js',
    );
    const protos = readdirSync(join(root, 'protos'))
      .filter((name) => name.endsWith('.proto'))
      .sort();
    const args = [...wireOptions, `--outDir=${out}`, ...protos.map((name) => `protos/${name}`)];
    const run = spawnSync(process.execPath, [tool, ...args], { cwd: root, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`proto-loader-gen-types failed: ${run.stderr}`);
    const names = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    return new Map(
      names.sort().map((name) => [join(wireFolder, name), readFileSync(join(out, name), 'utf8')]),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** Folders of the generated custom resource definitions: whatever else lies in them is stale. */
const definitionFolders = ['deploy/crds', 'charts/wholegroup/files/crds'] as const;

function definitions(): Map<string, string> {
  const note = '# Made from src/api by `npm run gen`. Do not edit.\n';
  const texts = [...customResourceDefinitions()].flatMap(([plural, definition]) => {
    // kubectl reads YAML 1.1, in which Yes and No are not words.
    const yaml = stringify(definition, {
      version: '1.1',
      lineWidth: 0,
      aliasDuplicateObjects: false,
    });
    return definitionFolders.map(
      (folder) => [join(folder, `${plural}.yaml`), note + yaml] as const,
    );
  });
  return new Map(texts);
}

/** Path in the repository → text, of every generated file. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['.oxlintrc.json', `${JSON.stringify(lintConfiguration(), null, 2)}\n`],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/events.md', eventsPage()],
    ['docs/reference/kubernetes-events.md', kubernetesEventsPage()],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/blockers.md', blockersPage()],
    ['docs/reference/custom-resources.md', customResourcesPage()],
    ['docs/reference/exit-codes.md', exitCodesPage()],
    ['docs/reference/chart-values.md', chartValuesPage()],
    ['docs/reference/commands.md', await commandsPage()],
    ['docs/reference/kubectl.md', await kubectlPage()],
    ...definitions(),
    ...wireTypes(),
  ]);
}

/** Files in folders that are generated as a whole and that nothing generates any more. */
export function staleFiles(generated: ReadonlyMap<string, string>): readonly string[] {
  return [wireFolder, ...definitionFolders]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|yaml)$/.test(name))
        .map((name) => join(folder, name)),
    )
    .filter((path) => !generated.has(path));
}

/** Generated files that are not as they must be: missing, different, or left over. */
export async function outdatedFiles(): Promise<readonly string[]> {
  const generated = await generatedFiles();
  const differing = [...generated]
    .filter(([path, text]) => textOf(path) !== text)
    .map(([path]) => path);
  return [...differing, ...staleFiles(generated)];
}

function textOf(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null;
  }
}
