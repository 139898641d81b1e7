// Helm as the tests of the chart use it: built from its Go module into the cache, run to its end.
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { built } from '../cluster/build.ts';
import { type Run, run as runToEnd, type RunOptions } from '../support/run.ts';

const root = join(import.meta.dirname, '..', '..');

/** The folder of the chart. */
export const chartFolder: string = join(root, 'charts', 'wholegroup');

/** The namespace that the manifests and all examples have. */
export const namespace = 'wholegroup-system';

/** An object of a manifest, as far as all have it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [more: string]: unknown;
}

/** Runs a program in the repository; any status is returned. `env` is added to this process' own. */
export function run(
  program: string,
  args: readonly string[],
  { env = {}, ...options }: Pick<RunOptions, 'input' | 'env'> = {},
): Promise<Run> {
  return runToEnd(program, args, { ...options, cwd: root, env: { ...process.env, ...env } });
}

/** Path of a program from the cache, built where it is not; null where it cannot be, which is told. */
export async function programPath(
  name: 'helm' | 'helm3' | 'kubeconform',
  tell: (line: string) => void,
): Promise<string | null> {
  const result = await built(name, tell);
  if (result.kind === 'ready') return join(result.folder, name);
  tell(`skipped: ${result.why}`);
  return null;
}

/** The objects of a text with many documents. */
export function objectsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as Manifest | null;
    })
    .filter((object) => object !== null);
}

/** Arguments that render the chart with values (`a.b=c`) and more flags. */
export function templateArgs(
  values: readonly string[] = [],
  flags: readonly string[] = [],
): readonly string[] {
  const set = values.flatMap((value) => ['--set-json', value]);
  return ['template', 'wholegroup', chartFolder, '--namespace', namespace, ...set, ...flags];
}
