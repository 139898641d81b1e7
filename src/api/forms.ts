// The building blocks of user-facing schemas: every field says its allowed form in one phrase, which is
// both its documentation and the end of every message about it. Refuses unknown fields everywhere.
import * as z from 'zod';
import { nearest } from './nearest.ts';
import { fits, ruled } from './rules.ts';

/** What zod passes to a message function. */
type Issue = Parameters<NonNullable<z.core.$ZodErrorMap>>[0];

const shownCharactersMax = 60;

/** A value as a message shows it: JSON, cut. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

/** A message function for a field of the given form: `is 10; must be four hex digits`. */
function mustBe(form: string): (issue: Issue) => string {
  return ({ input }) =>
    input === undefined ? `is missing; must be ${form}` : `is ${shown(input)}; must be ${form}`;
}

/** As mustBe, for texts that YAML easily reads as numbers: says to quote. */
function mustBeText(form: string): (issue: Issue) => string {
  return (issue) => {
    const misread = typeof issue.input === 'number' || typeof issue.input === 'boolean';
    const quote = misread ? ` (it was read as a ${typeof issue.input}: put it in quotes)` : '';
    return mustBe(form)(issue) + quote;
  };
}

/** An object with exactly these fields; an unknown one is refused with the nearest known name. */
export function strict<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const fields = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys')
        return mustBe(`a mapping with the fields ${fields.join(', ')}`)(issue);
      return (issue.keys as readonly string[]).map((key) => unknownField(key, fields)).join('\n');
    },
  });
}

/** The message about a field that there is not; zod reports all of one object at once: one line for each. */
function unknownField(field: string, known: readonly string[]): string {
  const near = nearest(field, known);
  const hint = near === null ? '' : `, did you mean ${near}?`;
  return `unknown field ${shown(field)}${hint} (allowed here: ${known.join(', ')})`;
}

/** A relation between fields that does not hold. */
export interface RelationProblem {
  readonly at: readonly (string | number)[];
  readonly message: string;
}

/**
 * A check over several fields of a mapping. It runs also when single fields are wrong, so that all problems
 * are told at once; `problemsOf` therefore sees unjudged values and says nothing about those of a wrong type.
 */
export function relation(
  problemsOf: (fields: Readonly<Record<string, unknown>>) => readonly RelationProblem[],
): z.core.$ZodCheck<object> {
  return z.superRefine<object>(
    (value, context) => {
      for (const { at, message } of problemsOf(value as Readonly<Record<string, unknown>>)) {
        context.addIssue({ code: 'custom', path: [...at], message });
      }
    },
    { when: ({ value }) => value !== null && typeof value === 'object' },
  );
}

/** Exactly this text. */
export function exactly<const Word extends string>(word: Word): z.ZodLiteral<Word> {
  return z.literal(word, { error: mustBe(word) });
}

/**
 * A text of the form that `pattern` describes and `form` says, of at most `max` characters. The pattern goes
 * into the custom resource definition, so it keeps to what RE2 knows: no look-ahead, no repeat above 1000. The
 * server says the pattern itself and, by a rule, the form in words.
 */
export function text(form: string, pattern: RegExp, max: number): z.ZodString {
  const error = mustBeText(form);
  const schema = z.string({ error }).max(max, { error }).regex(pattern, { error }).describe(form);
  return ruled(schema, [fits(pattern, `must be ${form}`)]);
}

/** Any text that is not empty: names that others have made. */
export function word(form: string): z.ZodString {
  const error = mustBeText(form);
  return z.string({ error }).min(1, { error }).max(1024, { error }).describe(form);
}

/** A time in whole seconds of UTC, as the API server writes times. */
export function time(form: string): z.ZodISODateTime {
  const error = 'must be a time like 2026-01-31T09:30:00Z';
  return z.iso.datetime({ precision: 0, error }).describe(form);
}

/**
 * A text of at most `max` characters that `problemOf` accepts with null; its answer explains the refusal. Whoever
 * uses it for what a person writes gives the server rules that refuse the same.
 */
export function textThat(
  form: string,
  max: number,
  problemOf: (value: string) => string | null,
): z.ZodString {
  const error = mustBeText(form);
  return z
    .string({ error })
    .max(max, { error })
    .check((context) => {
      const problem = context.value.length > max ? null : problemOf(context.value);
      if (problem !== null) {
        context.issues.push({ code: 'custom', input: context.value, message: problem });
      }
    })
    .describe(form);
}

/** A whole number within limits. */
export function wholeNumber(
  form: string,
  limits: { readonly min: number; readonly max: number },
): z.ZodInt {
  const error = mustBe(`${form}, a whole number from ${limits.min} to ${limits.max}`);
  return z.int({ error }).min(limits.min, { error }).max(limits.max, { error }).describe(form);
}

/** One word of a closed list. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
): z.ZodEnum<{ [K in Word]: K }> {
  return z.enum(words, {
    error: (issue) => {
      const near = typeof issue.input === 'string' ? nearest(issue.input, words) : null;
      const hint = near === null ? '' : ` (did you mean ${near}?)`;
      return `${mustBe(`one of ${words.join(', ')}`)(issue)}${hint}`;
    },
  });
}

/** Longer lists are a mistake, and the API server prices every rule by the longest list. */
const listItemsMax = 256;

/** A list whose items have a form of their own. Whoever applies it owns the whole of it. */
export function list<Item extends z.ZodType>(
  form: string,
  item: Item,
  max = listItemsMax,
): z.ZodArray<Item> {
  return z
    .array(item, { error: mustBe(form) })
    .max(max, { error: `has too many items; must be ${form}, at most ${max}` })
    .meta({ description: form, 'x-kubernetes-list-type': 'atomic' });
}

/** A list in which each value of `key` stands once: several writers may each apply their own items. */
export function keyedList<Item extends z.ZodType>(
  form: string,
  item: Item,
  options: { readonly key: string; readonly max: number },
): z.ZodArray<Item> {
  const once = z.superRefine<readonly unknown[]>((items, context) => {
    const keys = items.map((each) => (each as Record<string, unknown> | null)?.[options.key]);
    keys.forEach((key, index) => {
      if (keys.indexOf(key) === index) return;
      context.addIssue({ code: 'custom', path: [index], message: `${shown(key)} is listed twice` });
    });
  });
  return list(form, item, options.max)
    .check(once)
    .meta({
      description: form,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': [options.key],
    });
}

/** True or false. */
export function flag(form: string): z.ZodBoolean {
  return z.boolean({ error: mustBe('true or false') }).describe(form);
}

/** A text with words for people. The limit is that of Kubernetes for the message of a condition, or less. */
export function prose(form: string, max = 4096): z.ZodString {
  return z
    .string({ error: mustBeText(form) })
    .max(max, { error: `has too many characters; must be ${form}, at most ${max} characters` })
    .describe(form);
}
