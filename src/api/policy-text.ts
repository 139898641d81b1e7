// Policy files: YAML (and so JSON) with one or more documents, each a PassthroughPolicy or a List of them.
// All problems of a text are collected; each names source, line, document, field and allowed form.
import { type Document, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { PassthroughPolicy } from '../policy/policy.ts';
import { type FieldProblem, parsePolicyObject, problemAt } from './policy-in-force.ts';

/** One problem of a policy text. */
export interface PolicyProblem {
  /** `a40.yaml:7: document 2: spec.devices[0].vendor`: where to look. */
  readonly path: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

interface PlacedProblem extends PolicyProblem {
  /** 0 when the whole text is meant. */
  readonly line: number;
}

/** What a text came to. Good policies are returned also when other documents have problems. */
export interface ParsedPolicies {
  readonly policies: readonly PassthroughPolicy[];
  readonly problems: readonly PolicyProblem[];
}

/** No honest policy file is longer (UTF-16 units); bounds the time and memory that a text can cost. */
export const policyTextMax = 1024 * 1024;

/** Where a problem is: the text's name, its line, which document. */
interface Place {
  readonly source: string;
  /** From 1; null when the text has only one document. */
  readonly document: number | null;
  readonly line: (segments: readonly (string | number)[]) => number | null;
}

function placed(place: Place, problem: FieldProblem): PlacedProblem {
  const line = place.line(problem.segments);
  const parts = [
    line === null ? place.source : `${place.source}:${line}`,
    ...(place.document === null ? [] : [`document ${place.document}`]),
    ...(problem.path === '' ? [] : [problem.path]),
  ];
  return { path: parts.join(': '), message: problem.message, line: line ?? 0 };
}

/** The line of the nearest node that exists on the way to a field. */
function lineIn(document: Document.Parsed, lines: LineCounter): Place['line'] {
  return (segments) => {
    for (let length = segments.length; length >= 0; length--) {
      const node: unknown =
        length === 0 ? document.contents : document.getIn(segments.slice(0, length), true);
      const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
      if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
    }
    return null;
  };
}

function syntaxProblems(document: Document.Parsed, place: Place): PlacedProblem[] {
  return document.errors.map((error) => {
    const line = error.linePos?.[0].line ?? null;
    const message = (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
    return placed({ ...place, line: () => line }, problemAt([], `is not YAML: ${message}`));
  });
}

/** True for a document of nothing but comments and white space. */
function isEmpty(document: Document.Parsed): boolean {
  return (
    document.contents === null || (isScalar(document.contents) && document.contents.value === null)
  );
}

/** The objects of a document with their paths: itself, or the items of a List (`kubectl get -o yaml`). */
function objectsOf(
  value: unknown,
): readonly { readonly at: readonly (string | number)[]; readonly value: unknown }[] {
  const { kind, items } = (value ?? {}) as { readonly kind?: unknown; readonly items?: unknown };
  const isList = (kind === 'List' || kind === 'PassthroughPolicyList') && Array.isArray(items);
  if (!isList) return [{ at: [], value }];
  return items.map((item: unknown, index) => ({ at: ['items', index], value: item }));
}

/** Collects policies over texts and refuses a name that another has. */
class Collector {
  readonly policies: PassthroughPolicy[] = [];
  readonly problems: PlacedProblem[] = [];
  readonly #firstAt = new Map<string, string>();

  addDocument(document: Document.Parsed, place: Place): void {
    const syntax = syntaxProblems(document, place);
    this.problems.push(...syntax);
    if (syntax.length > 0) return;
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (thrown) {
      this.problems.push(placed(place, problemAt([], `is not usable YAML: ${String(thrown)}`)));
      return;
    }
    for (const object of objectsOf(value)) this.#addObject(object.value, object.at, place);
  }

  #addObject(value: unknown, at: readonly (string | number)[], place: Place): void {
    const policy = parsePolicyObject(value);
    const placedAt = (segments: readonly (string | number)[], message: string): PlacedProblem =>
      placed(place, problemAt([...at, ...segments], message));
    if (!policy.ok) {
      this.problems.push(...policy.problem.map((each) => placedAt(each.segments, each.message)));
      return;
    }
    const { name } = policy.value;
    const first = this.#firstAt.get(name);
    if (first !== undefined) {
      const message = `is "${name}", the name of another policy (${first}); names must differ`;
      this.problems.push(placedAt(['metadata', 'name'], message));
      return;
    }
    this.#firstAt.set(name, placedAt(['metadata', 'name'], '').path);
    this.policies.push(policy.value);
  }
}

/**
 * Parses a policy text. `source` is the name that problems carry (a file's path). A text without any document
 * is a problem too: an emptied file is more often an accident than a wish.
 */
export function parsePolicies(text: string, source: string): ParsedPolicies {
  const collector = new Collector();
  const whole: Place = { source, document: null, line: () => null };
  const refuse = (message: string): ParsedPolicies => ({
    policies: [],
    problems: inOrder([placed(whole, problemAt([], message))]),
  });
  if (text.length > policyTextMax)
    return refuse(`has ${text.length} characters; at most ${policyTextMax} are allowed`);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const documents = [...parsed].filter((each) => !isEmpty(each) || each.errors.length > 0);
  if (documents.length === 0) {
    return refuse('holds no policy; to withdraw the policies of a file, delete the file');
  }
  documents.forEach((document, index) => {
    const place = {
      source,
      document: documents.length > 1 ? index + 1 : null,
      line: lineIn(document, lines),
    };
    collector.addDocument(document, place);
  });
  return { policies: collector.policies, problems: inOrder(collector.problems) };
}

function inOrder(problems: readonly PlacedProblem[]): PolicyProblem[] {
  return problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ path, message }) => ({ path, message }));
}
