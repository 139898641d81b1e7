// What a shell may offer for the word under the cursor, in the form that cobra made common: a word, a tab and a few
// words about it on each line, and at the end a colon with the directive. Never fails: no cluster, no names.
import type { Command, Option } from 'commander';
import { kubeconfigContexts } from '../../cluster/access/kubeconfig.ts';
import {
  groupNames,
  namespaceNames,
  nodeNames,
  resourceNames,
  subjectNames,
  type Suggestion,
} from '../../kubectl/suggestions.ts';
import { realClock } from '../../observe/real-clock.ts';
import { type Deadlined, withDeadline } from '../../base/clock.ts';
import { type ClusterFlags, type NamespaceFlags, openSession, type Session } from './session.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A person waits for the tab. */
const patienceMs = 3000;

/** cobra's ShellCompDirective: files may be offered, or not. */
const directives = { default: 0, noFiles: 4 } as const;

interface Answer {
  readonly suggestions: readonly Suggestion[];
  readonly directive: number;
}

const only = (suggestions: readonly Suggestion[]): Answer => ({
  suggestions,
  directive: directives.noFiles,
});

/** What was typed before the cursor, understood. */
interface Typed {
  readonly command: Command | null;
  /** An option whose value is under the cursor. */
  readonly option: Option | null;
  readonly values: Readonly<Record<string, string>>;
  /** Arguments of the command before the cursor. */
  readonly before: readonly string[];
}

function optionNamed(command: Command | null, word: string): Option | undefined {
  const name = word.split('=')[0];
  return command?.options.find(({ short, long }) => name === short || name === long);
}

function understand(program: Command, words: readonly string[]): Typed {
  let command: Command | null = null;
  let option: Option | null = null;
  const values: Record<string, string> = {};
  const before: string[] = [];
  for (const word of words) {
    if (option !== null) {
      values[option.attributeName()] = word;
      option = null;
    } else if (word.startsWith('-')) {
      const named = optionNamed(command, word);
      if (named === undefined || named.isBoolean()) continue;
      if (word.includes('=')) values[named.attributeName()] = word.slice(word.indexOf('=') + 1);
      else option = named;
    } else if (command === null) {
      command = program.commands.find((each) => each.name() === word) ?? null;
    } else before.push(word);
  }
  return { command, option, values, before };
}

function flagsOf({ values }: Typed): ClusterFlags & NamespaceFlags {
  const { kubeconfig, context, namespace } = values;
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

async function asked(
  typed: Typed,
  env: Environment,
  ask: (session: Session) => Promise<readonly Suggestion[]>,
): Promise<Answer> {
  using session = await openSession(flagsOf(typed), env);
  return only(await ask(session));
}

async function valuesOf(option: Option, typed: Typed, env: Environment): Promise<Answer> {
  if (option.argChoices !== undefined)
    return only(option.argChoices.map((word) => ({ word, about: '' })));
  switch (option.attributeName()) {
    case 'context': {
      const { kubeconfig } = typed.values;
      const file = kubeconfig === undefined ? {} : { file: kubeconfig };
      const names = await kubeconfigContexts({ environment: env, ...file });
      return only(names.map((word) => ({ word, about: '' })));
    }
    case 'namespace':
      return asked(typed, env, ({ reader }) => namespaceNames(reader));
    case 'resource':
      return asked(typed, env, ({ reader }) => resourceNames(reader));
    case 'kubeconfig':
      return { suggestions: [], directive: directives.default };
    default:
      return only([]);
  }
}

async function argumentsOf(typed: Typed, current: string, env: Environment): Promise<Answer> {
  const { command, before } = typed;
  switch (command?.name()) {
    case 'tree':
      return asked(typed, env, ({ reader }) => nodeNames(reader));
    case 'explain':
      if (before.length > 0) return only([]);
      return asked(typed, env, ({ reader, namespace }) =>
        subjectNames(reader, current, typed.values['namespace'] ?? namespace),
      );
    case 'cordon':
      return asked(typed, env, ({ reader }) => groupNames(reader, false));
    case 'uncordon':
      return asked(typed, env, ({ reader }) => groupNames(reader, true));
    case 'history':
      return before.length > 0 ? only([]) : asked(typed, env, ({ reader }) => groupNames(reader));
    case 'completion': {
      const choices = command.registeredArguments[0]?.argChoices ?? [];
      return only(before.length > 0 ? [] : choices.map((word) => ({ word, about: '' })));
    }
    default:
      return only([]);
  }
}

async function answerOf(
  program: Command,
  typed: Typed,
  current: string,
  env: Environment,
): Promise<Answer> {
  const { command, option, before } = typed;
  if (option !== null) return valuesOf(option, typed, env);
  if (command === null)
    return only(program.commands.map((each) => ({ word: each.name(), about: each.description() })));
  if (current.startsWith('-')) {
    const named = current.includes('=') ? optionNamed(command, current) : undefined;
    if (named !== undefined) {
      const { suggestions, directive } = await valuesOf(named, typed, env);
      const head = current.slice(0, current.indexOf('=') + 1);
      return {
        directive,
        suggestions: suggestions.map(({ word, about }) => ({ word: head + word, about })),
      };
    }
    return only(
      command.options.map(({ long, short, description }) => ({
        word: long ?? short ?? '',
        about: description,
      })),
    );
  }
  const answer = await argumentsOf(typed, current, env);
  return {
    ...answer,
    suggestions: answer.suggestions.filter(({ word }) => !before.includes(word)),
  };
}

/** What `__complete` prints: `typed` is every word after the program's name, the last under the cursor. */
export async function complete(
  program: Command,
  words: readonly string[],
  env: Environment,
): Promise<string> {
  const current = words.at(-1) ?? '';
  const typed = understand(program, words.slice(0, -1));
  const failed = only([]);
  const answered = await withDeadline(
    realClock(),
    patienceMs,
    answerOf(program, typed, current, env).catch(() => failed),
  );
  const { suggestions, directive } = settledOr(answered, failed);
  const lines = suggestions
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, about }) => (about === '' ? word : `${word}\t${about}`));
  return [...lines, `:${directive}`, ''].join('\n');
}

function settledOr<T>(answered: Deadlined<T>, otherwise: T): T {
  return answered.kind === 'settled' ? answered.value : otherwise;
}
