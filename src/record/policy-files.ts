// Policies from a file or a folder: which files there are, what they say, and what stays in force when one
// of them is bad. Reads only; watching is in policy-watch.ts.
import { type BigIntStats, constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type ParsedPolicies,
  type PolicyProblem,
  parsePolicies,
  policyTextMax,
} from '../api/policy-text.ts';
import { errorText } from '../base/errors.ts';
import type { PassthroughPolicy } from '../policy/policy.ts';

/** The policies in force and everything that is wrong with the files. */
export interface PolicyState {
  /** By name, ascending. */
  readonly policies: readonly PassthroughPolicy[];
  readonly problems: readonly PolicyProblem[];
}

/** What one file contributes. */
interface FileState {
  /** Changes when the file does: it is read again then and only then. */
  readonly signature: string;
  readonly inForce: readonly PassthroughPolicy[];
  readonly problems: readonly PolicyProblem[];
}

/** What was found at a path: file paths with their signatures, or why nothing can be told. */
export type Listing =
  | { readonly kind: 'listed'; readonly signatures: ReadonlyMap<string, string> }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Files of a folder that hold policies. Dot files are other people's: editors, and the kubelet's `..data`. */
function isPolicyFile(name: string): boolean {
  return !name.startsWith('.') && /\.(ya?ml|json)$/.test(name);
}

function signatureOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join('.');
}

/** The signature of a file, or what is wrong with it: that too is something to notice when it changes. */
async function signatureAt(path: string): Promise<string> {
  try {
    return signatureOf(await stat(path, { bigint: true }));
  } catch (thrown) {
    return `unreadable: ${errorText(thrown)}`;
  }
}

/** Looks at `path`, a file or a folder, without reading any content. Links are followed. */
export async function listPolicyFiles(path: string): Promise<Listing> {
  try {
    if (!(await stat(path)).isDirectory()) {
      return { kind: 'listed', signatures: new Map([[path, await signatureAt(path)]]) };
    }
    const names = (await readdir(path)).filter(isPolicyFile).sort();
    const files = names.map((name) => join(path, name));
    const signatures = await Promise.all(files.map(signatureAt));
    return {
      kind: 'listed',
      signatures: new Map(files.map((file, n) => [file, signatures[n] ?? ''])),
    };
  } catch (thrown) {
    return { kind: 'unreadable', why: errorText(thrown) };
  }
}

/** Reads and judges one file. Never throws: what cannot be read is a problem of the file. */
async function readPolicyFile(path: string): Promise<ParsedPolicies> {
  const refuse = (message: string): ParsedPolicies => ({
    policies: [],
    problems: [{ path, message }],
  });
  try {
    // O_NONBLOCK: opening a pipe would wait for a writer for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) return refuse('is not a regular file; must be a YAML or JSON file');
      if (found.size > policyTextMax) {
        return refuse(`has ${found.size} bytes; at most ${policyTextMax} are allowed`);
      }
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
      return parsePolicies(text, path);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof TypeError)
      return refuse('is not UTF-8 text; must be a YAML or JSON file in UTF-8');
    return refuse(`cannot be read: ${errorText(thrown)}`);
  }
}

/**
 * The content of all policy files under one path, over time. A bad edit of a file leaves the file's last good
 * content in force and is told as a problem; only a file that is gone from its folder takes its policies along.
 */
export class PolicyFiles {
  readonly #path: string;
  readonly #files = new Map<string, FileState>();
  #pathProblems: readonly PolicyProblem[] = [];

  /** `path`: a file, or a folder whose *.yaml, *.yml and *.json are taken in order of name. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes over what a listing found: changed files are read. True when policies or problems may differ. */
  async take(listing: Listing): Promise<boolean> {
    if (listing.kind === 'unreadable') return this.#takeUnreadable(listing.why);
    let changed = this.#pathProblems.length > 0;
    this.#pathProblems = [];
    for (const path of this.#files.keys()) {
      if (listing.signatures.has(path)) continue;
      this.#files.delete(path);
      changed = true;
    }
    for (const [path, signature] of listing.signatures) {
      if (this.#files.get(path)?.signature === signature) continue;
      this.#files.set(path, await this.#read(path, signature));
      changed = true;
    }
    return changed;
  }

  /** The state now. Of two policies with one name the one in the file that sorts first is in force. */
  state(): PolicyState {
    const inForce = new Map<
      string,
      { readonly policy: PassthroughPolicy; readonly path: string }
    >();
    const problems = [...this.#pathProblems];
    for (const [path, file] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      problems.push(...file.problems);
      for (const policy of file.inForce) {
        const other = inForce.get(policy.name);
        if (other === undefined) inForce.set(policy.name, { policy, path });
        else problems.push(sameName(path, policy.name, other.path));
      }
    }
    const policies = [...inForce.values()].map(({ policy }) => policy);
    return { policies: policies.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
  }

  #takeUnreadable(why: string): boolean {
    const kept = [...this.#files.values()].some((file) => file.inForce.length > 0);
    const message = `cannot be read: ${why}${kept ? '; the policies read before stay in force' : ''}`;
    const same = this.#pathProblems[0]?.message === message;
    this.#pathProblems = [{ path: this.#path, message }];
    return !same;
  }

  async #read(path: string, signature: string): Promise<FileState> {
    const parsed = await readPolicyFile(path);
    const earlier = this.#files.get(path)?.inForce ?? [];
    if (parsed.problems.length === 0) return { signature, inForce: parsed.policies, problems: [] };
    // At a start there is nothing to fall back on: the good documents of a file with bad ones are taken.
    const inForce = earlier.length > 0 ? earlier : parsed.policies;
    const kept = earlier.length > 0 ? [keptProblem(path)] : [];
    return { signature, inForce, problems: [...parsed.problems, ...kept] };
  }
}

function keptProblem(path: string): PolicyProblem {
  return { path, message: 'has problems, so what it said before stays in force' };
}

function sameName(path: string, name: string, otherPath: string): PolicyProblem {
  const message = `policy "${name}" has the name of a policy in ${basename(otherPath)}, which is in force; names must differ`;
  return { path, message };
}
