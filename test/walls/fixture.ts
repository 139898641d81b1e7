// A small tree beside the repository with its lint configuration, to try forbidden things in.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** One complaint of the linter. */
export interface Complaint {
  /** Path in the tree. */
  readonly file: string;
  /** As `eslint(no-restricted-imports)`. */
  readonly rule: string;
  readonly message: string;
}

/** Lints a tree of the given files (path → text) with the repository's own configuration. */
export function lint(files: ReadonlyMap<string, string>): readonly Complaint[] {
  const tree = mkdtempSync(join(tmpdir(), 'wholegroup-walls-'));
  try {
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(root, name), join(tree, name));
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    for (const [path, text] of files) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    return complaints(tree);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

function complaints(tree: string): readonly Complaint[] {
  const binary = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const args = [binary, '--type-aware', '--format', 'json', '.'];
  const run = spawnSync(process.execPath, args, {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  let answer: { diagnostics: { filename: string; code: string; message: string; help?: string }[] };
  try {
    answer = JSON.parse(run.stdout) as typeof answer;
  } catch {
    throw new Error(`oxlint gave no JSON (exit ${run.status}): ${run.stdout}${run.stderr}`);
  }
  return answer.diagnostics.map(({ filename, code, message, help }) => ({
    file: filename.replace(/^\.\//, ''),
    rule: code,
    message: `${message} ${help ?? ''}`,
  }));
}
