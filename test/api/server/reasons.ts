// What the agent's schema and the API server say about one object, brought to one form: which field, which kind of
// reason, and for rules in words the words.
import type * as z from 'zod';
import type { ApiAnswer } from '../support/api-call.ts';

/** Kinds of reasons. Words: a rule that says in words what must be. */
type ReasonKind =
  | 'Unknown'
  | 'Missing'
  | 'Choice'
  | 'Type'
  | 'Range'
  | 'Count'
  | 'Twice'
  | 'Words'
  | 'Long';

/** One reason against an object. */
interface Reason {
  readonly field: string;
  readonly kind: ReasonKind;
  readonly message: string;
}

/** `a[0].b` of a path. */
function fieldText(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return parts.join('').replace(/^\./, '');
}

function agentKind(issue: z.core.$ZodIssue): ReasonKind {
  if (issue.message.endsWith('is listed twice')) return 'Twice';
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'Unknown';
    case 'invalid_type':
      return issue.message.startsWith('is missing') ? 'Missing' : 'Type';
    case 'invalid_value':
      return 'Choice';
    case 'too_big':
    case 'too_small':
      if (issue.origin === 'string') return 'Long';
      return issue.origin === 'array' ? 'Count' : 'Range';
    default:
      return 'Words';
  }
}

/** What the schema says. */
export function agentReasons(error: z.ZodError): Reason[] {
  return error.issues.flatMap((issue) => {
    const kind = agentKind(issue);
    const at = (path: readonly PropertyKey[]): Reason => {
      return { field: fieldText(path), kind, message: issue.message };
    };
    if (issue.code !== 'unrecognized_keys') return [at(issue.path)];
    return issue.keys.map((key) => at([...issue.path, key]));
  });
}

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

const kindsOfCauses: Readonly<Record<string, ReasonKind>> = {
  FieldValueRequired: 'Missing',
  FieldValueNotSupported: 'Choice',
  FieldValueTypeInvalid: 'Type',
  FieldValueTooLong: 'Long',
  FieldValueTooMany: 'Count',
  FieldValueDuplicate: 'Twice',
};

function serverKind({ reason, message }: Cause): ReasonKind {
  if (/must be of type|must be an? (integer|string|boolean|object|array)/.test(message))
    return 'Type';
  if (/should be (less|greater) than or equal to/.test(message)) return 'Range';
  if (/should have at (least|most) \d+ items|must have at most \d+ items/.test(message))
    return 'Count';
  return kindsOfCauses[reason] ?? 'Words';
}

/** What the server says. A pattern is left out: the rule beside it says the same in words. */
export function serverReasons(answer: ApiAnswer): Reason[] {
  const { message, details } = answer.body as {
    readonly message: string;
    readonly details?: { readonly causes?: readonly Cause[] };
  };
  const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)].map(
    ([, field = '']): Reason => {
      return { field, kind: 'Unknown', message };
    },
  );
  const causes = (details?.causes ?? []).filter(
    ({ message: text }) => !/should match|some validation rules were not checked/.test(text),
  );
  return [
    ...unknown,
    ...causes.map((cause): Reason => {
      const field = cause.field === '<nil>' ? '' : cause.field;
      return { field, kind: serverKind(cause), message: cause.message };
    }),
  ];
}

/** `Invalid value: "shown": words`, or without the value: the words that a rule gives. */
function wordsOf(message: string): string {
  return message.replace(/^Invalid value: (?:(?:"(?:[^"\\]|\\.)*"|[{[].*[\]}]|[-\d.]+): )?/s, '');
}

/**
 * True when the server's reason is the agent's: same field, same kind, and no words that the agent does not say. A
 * mapping where none belongs is to the server a mapping with unknown fields.
 */
function sameReason(agent: Reason, server: Reason): boolean {
  if (agent.kind === 'Type' && server.kind === 'Unknown')
    return server.field.startsWith(`${agent.field}.`);
  if (agent.field !== server.field || agent.kind !== server.kind) return false;
  return agent.kind !== 'Words' || agent.message.includes(wordsOf(server.message));
}

/** The server tells a wrong type twice: once as what must be there, once as the type, of the field or of what has it. */
function says(agent: Reason, server: Reason): boolean {
  return (
    sameReason(agent, server) || (server.kind === 'Type' && agent.field.startsWith(server.field))
  );
}

/** Reasons of one side that the other does not give. Both empty: the two refuse alike. */
export function differences(
  agent: readonly Reason[],
  server: readonly Reason[],
): { readonly onlyAgent: readonly Reason[]; readonly onlyServer: readonly Reason[] } {
  return {
    onlyAgent: agent.filter((each) => !server.some((other) => sameReason(each, other))),
    onlyServer: server.filter((each) => !agent.some((other) => says(other, each))),
  };
}
