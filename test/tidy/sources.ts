// The texts of the repository, for the tests that read them.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const root = join(import.meta.dirname, '..', '..');

/** One file. */
export interface Source {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

function read(patterns: readonly string[]): readonly Source[] {
  const exclude = ['node_modules/**', 'src/kubelet/gen/**', 'dist/**', 'test/data/**'];
  const paths = globSync([...patterns], { cwd: root, exclude }).sort();
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Sources that ship. */
export const shipped = read(['src/**/*.ts']);

/** Sources that do not ship. */
export const judges = read(['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.{ts,mjs}']);

/** Pages of documentation. */
export const pages = read(['*.md', 'docs/**/*.md']);

/** `path: line` of every match of `pattern` (global, multi-line) in `sources`. */
export function findings(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map((match) => {
      const line = text.slice(0, match.index).split('\n').length;
      return `${path}:${line}: ${match[0].trim().split('\n')[0] ?? ''}`;
    }),
  );
}
