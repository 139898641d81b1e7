// The chart as the real Helm renders it, for a test file: objects for some values, or why Helm refused them.
import assert from 'node:assert/strict';
import { type Manifest, objectsOf, programPath, run, templateArgs } from './helm.ts';

/** Helm for the tests of one file. */
export interface Renderer {
  readonly helm: string;
  /** The objects for values (`a.b=JSON`). */
  objects(values?: readonly string[], flags?: readonly string[]): Promise<readonly Manifest[]>;
  /** What Helm says when it refuses. */
  refusal(values: readonly string[]): Promise<string>;
}

/** Helm of that version. Throws where it cannot be had: `npm run test:chart` finds that out first. */
export async function renderer(version: 'helm' | 'helm3' = 'helm'): Promise<Renderer> {
  const helm = await programPath(version, (line) => console.error(line));
  if (helm === null) throw new Error(`there is no ${version}`);
  return {
    helm,
    objects: async (values = [], flags = []) => {
      const { status, stdout, stderr } = await run(helm, templateArgs(values, flags));
      assert.equal(status, 0, stderr);
      return objectsOf(stdout);
    },
    refusal: async (values) => {
      const { status, stderr } = await run(helm, templateArgs(values));
      assert.notEqual(status, 0, `${values.join(' ')} was not refused`);
      return stderr;
    },
  };
}

/** The object of that kind and name; throws where there is none. */
export function objectIn(all: readonly Manifest[], kind: string, name: string): Manifest {
  const found = all.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** What is at a path of an object (`spec.template.spec.containers.0.args`); undefined where nothing is. */
export function at(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null
          ? (value as Readonly<Record<string, unknown>>)[key]
          : undefined,
      object,
    );
}
