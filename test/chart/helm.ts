// Helm as the tests of the chart use it: built from its Go module into the cache, run to its end.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { built } from '../cluster/build.ts';

const root = join(import.meta.dirname, '..', '..');

/** The folder of the chart. */
export const chartFolder: string = join(root, 'charts', 'wholegroup');

/** The namespace that the manifests and all examples have. */
export const namespace = 'wholegroup-system';

/** What a run of a program came to. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

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

/** Runs a program; any status is returned. */
export async function run(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env } });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { status, ...texts };
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
