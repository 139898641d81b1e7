// The little of a shell that the scripts use: echo (also into a file), ls, ln -s, cat, readlink, module
// commands, assignments, and for-loops over a pattern. What is more than that is left out (null), as its output
// is no result of the kernel's.

/** What the shell needs from the machine. */
export interface ShellMachine {
  read(path: string): string | null;
  readLink(path: string): string | null;
  list(path: string): readonly string[] | null;
  link(path: string, target: string): void;
}

/** What a line does that takes its time: done by the player after the line's output, in order. */
export type ShellEffect =
  | { readonly kind: 'write'; readonly path: string; readonly data: string }
  | { readonly kind: 'load' | 'unload'; readonly module: string };

type Variables = Map<string, string>;

/** Splits at `;` outside of quotes. */
function statements(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  for (const c of text) {
    if (quote === '' ? c === '"' || c === "'" : c === quote) quote = quote === '' ? c : '';
    if (c === ';' && quote === '') {
      parts.push(part.trim());
      part = '';
    } else part += c;
  }
  parts.push(part.trim());
  return parts.filter((one) => one !== '');
}

/** One row as busybox lays it out: every column as wide as the longest name and two more. */
function inColumns(names: readonly string[]): string {
  const width = Math.max(0, ...names.map((name) => name.length)) + 2;
  return names.map((name, i) => (i === names.length - 1 ? name : name.padEnd(width))).join('');
}

/** One shell over a machine; variables live as long as one `sh` line. */
export class Shell {
  readonly #machine: ShellMachine;
  #effects: ShellEffect[] = [];

  constructor(machine: ShellMachine) {
    this.#machine = machine;
  }

  /** Lines that the commands print, or null when something is beyond this shell. */
  run(text: string): readonly string[] | null {
    const variables: Variables = new Map();
    const loop = /^for (\w+) in (\S+); do (.*); done$/.exec(text);
    if (loop === null) return this.#all(statements(text), variables);
    const [, name = '', pattern = '', body = ''] = loop;
    const lines: string[] = [];
    for (const path of this.#glob(pattern)) {
      variables.set(name, path);
      const printed = this.#all(statements(body), variables);
      if (printed === null) return null;
      lines.push(...printed);
    }
    return lines;
  }

  /** What the lines so far want done; asking takes it. */
  takeEffects(): readonly ShellEffect[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }

  #all(commands: readonly string[], variables: Variables): string[] | null {
    const lines: string[] = [];
    for (const command of commands) {
      const printed = this.#command(command, variables);
      if (printed === null) return null;
      lines.push(...printed);
    }
    return lines;
  }

  #command(text: string, variables: Variables): string[] | null {
    const assignment = /^(\w+)=(.*)$/.exec(text);
    if (assignment !== null) {
      const value = this.#expand(assignment[2] as string, variables);
      if (value === null) return null;
      variables.set(assignment[1] as string, value);
      return [];
    }
    const [word = ''] = text.split(' ');
    const rest = text.slice(word.length).trim();
    const into = /^echo (.*?) ?> ?(\/\S+)$/.exec(text);
    if (into !== null) {
      const line = this.#expand(into[1] as string, variables);
      if (line === null) return null;
      this.#effects.push({ kind: 'write', path: into[2] as string, data: `${line}\n` });
      return [];
    }
    if (/[|<>&]/.test(rest.replaceAll(/"[^"]*"/g, ''))) return null;
    if (word === 'insmod' || word === 'modprobe' || word === 'rmmod') {
      const file = (rest.split(/\s+/)[0] ?? '').replace(/^.*\//, '').replace(/\.ko$/, '');
      const kind = word === 'rmmod' ? 'unload' : 'load';
      this.#effects.push({ kind, module: file.replaceAll('-', '_') });
      return [];
    }
    return this.#fileCommand(word, rest, variables);
  }

  #fileCommand(word: string, rest: string, variables: Variables): string[] | null {
    const [first = '', second = '', third] = rest.split(/\s+/);
    switch (word) {
      case 'echo': {
        const line = this.#expand(rest, variables);
        return line === null ? null : [line];
      }
      case 'cat': {
        const content = this.#machine.read(first);
        return content === null ? null : content.replace(/\n$/, '').split('\n');
      }
      case 'ls': {
        const names = this.#machine.list(first);
        return names === null ? [] : [inColumns([...names].sort())];
      }
      case 'ln': {
        const target = first === '-s' ? this.#expand(second, variables) : null;
        if (target === null || third === undefined) return null;
        this.#machine.link(third, target);
        return [];
      }
      default:
        return null;
    }
  }

  /** Quotes, `$name`, `${name##pattern-up-to-last-slash}`, `$(cat PATH)`, `$(readlink PATH)`. */
  #expand(text: string, variables: Variables): string | null {
    let failed = false;
    const inner = (part: string): string =>
      part
        .replaceAll(/\$\{(\w+)##\*\/\}/g, (_, name: string) =>
          (variables.get(name) ?? '').replace(/^.*\//, ''),
        )
        .replaceAll(/\$(\w+)/g, (_, name: string) => variables.get(name) ?? '');
    const substituted = text.replaceAll(
      /\$\((\w+) ([^)]*)\)/g,
      (_, command: string, argument: string) => {
        const path = inner(argument);
        if (command === 'cat') return (this.#machine.read(path) ?? '').replace(/\n+$/, '');
        if (command === 'readlink') return this.#machine.readLink(path) ?? '';
        failed = true;
        return '';
      },
    );
    return failed ? null : inner(substituted).replaceAll(/["']/g, '');
  }

  /** Paths that match a pattern whose last part ends in `*`, sorted. */
  #glob(pattern: string): string[] {
    const at = pattern.lastIndexOf('/');
    const folder = pattern.slice(0, at);
    const prefix = pattern.slice(at + 1).replace(/\*$/, '');
    const names = this.#machine.list(folder) ?? [];
    return names
      .filter((name) => name.startsWith(prefix))
      .sort()
      .map((name) => `${folder}/${name}`);
  }
}
