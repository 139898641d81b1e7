// From a PassthroughPolicy object to the policy that the rule uses: every default filled in, nothing optional.
import type * as z from 'zod';
import { fail, ok, type Result } from '../base/result.ts';
import type { DeviceSelector, PassthroughPolicy, ResourceName } from '../policy/policy.ts';
import { apiVersion } from './metadata.ts';
import { policyObjectSchema, type PolicyObject } from './passthrough-policy.ts';

/** One thing that is wrong with an object: `path` as in `spec.devices[0].vendor`, "" for the whole. */
export interface FieldProblem {
  readonly path: string;
  readonly segments: readonly (string | number)[];
  readonly message: string;
}

/** `spec.devices[0].vendor` of the segments of a path. */
function fieldPath(segments: readonly (string | number)[]): string {
  return segments
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      const plain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(segment);
      if (!plain) return `[${JSON.stringify(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join('');
}

/** Fields without those that are not given: undefined is "not given" in a selector, never a condition. */
function given(selector: PolicyObject['spec']['devices'][number]): DeviceSelector {
  return Object.fromEntries(Object.entries(selector).filter(([, value]) => value !== undefined));
}

/** The policy in force that a valid object describes. createdAt is "" where no server has set it. */
function policyInForce({ metadata, spec }: PolicyObject): PassthroughPolicy {
  const { deviceNodes, nodeSelector, resourceName, ...same } = spec;
  return {
    ...same,
    name: metadata.name,
    createdAt: metadata.creationTimestamp ?? '',
    // The schema has judged it by parseResourceName.
    resourceName: resourceName as ResourceName,
    nodeSelector: nodeSelector?.matchLabels ?? {},
    devices: spec.devices.map(given),
    companionDevices: spec.companionDevices.map(given),
    deviceNodes:
      deviceNodes === undefined
        ? null
        : { ...deviceNodes, mode: Number.parseInt(deviceNodes.mode, 8) },
  };
}

/** zod's issues as problems; unknown fields of one object, which zod tells in one issue, become one problem each. */
function problemsOf(error: z.ZodError): FieldProblem[] {
  return error.issues.flatMap((issue) => {
    const segments = issue.path.map((each) => (typeof each === 'number' ? each : String(each)));
    if (issue.code !== 'unrecognized_keys') return [problemAt(segments, issue.message)];
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) =>
      problemAt([...segments, key], messages[index] ?? issue.message),
    );
  });
}

/** The mapping or list around the last part of a path. */
function parentAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null)?.[key], value);
}

/**
 * A copy without the fields that are null where a value was expected (`waive:` and nothing after it): to the API
 * server they are not given. An unknown field stays, and so does a null in a list.
 */
function withoutNulls(value: object, { issues }: z.ZodError): object {
  const copy = structuredClone(value);
  for (const { path } of issues) {
    const [parent, key] = [parentAt(copy, path), path.at(-1)];
    if (typeof key !== 'string' || parent === null || typeof parent !== 'object') continue;
    const fields = parent as Record<string, unknown>;
    if (fields[key] === null) delete fields[key];
  }
  return copy;
}

/** Judges an object by the schema. */
export function judgedPolicy(value: object): z.ZodSafeParseResult<PolicyObject> {
  const parsed = policyObjectSchema.safeParse(value);
  return parsed.success ? parsed : policyObjectSchema.safeParse(withoutNulls(value, parsed.error));
}

/**
 * Judges any value as a PassthroughPolicy object and collects all problems. What is not a PassthroughPolicy at
 * all (another kind, not a mapping) is one problem, not one for every field.
 */
export function parsePolicyObject(
  value: unknown,
): Result<PassthroughPolicy, readonly FieldProblem[]> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return fail([problemAt([], 'is not a mapping; must be a PassthroughPolicy object')]);
  }
  const { kind } = value as { readonly kind?: unknown };
  if (typeof kind === 'string' && kind !== 'PassthroughPolicy') {
    return fail([problemAt(['kind'], `is ${JSON.stringify(kind)}; must be PassthroughPolicy`)]);
  }
  const parsed = judgedPolicy(value);
  if (parsed.success) return ok(policyInForce(parsed.data));
  return fail(problemsOf(parsed.error));
}

/** A problem at a place. */
export function problemAt(segments: readonly (string | number)[], message: string): FieldProblem {
  return { path: fieldPath(segments), segments, message };
}

/** All problems in a line. */
export function problemsText(problems: readonly FieldProblem[]): string {
  return problems.map(({ path, message }) => `${path} ${message}`).join('; ');
}

/** A policy as a server has it, to be judged. */
interface ServedPolicy {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  readonly spec?: unknown;
}

/** The object as a file would have it: items of a list carry neither apiVersion nor kind, and status is the controller's. */
export function policyObjectOf({ metadata, spec }: ServedPolicy) {
  const { name, creationTimestamp } = metadata;
  return {
    ...{ apiVersion, kind: 'PassthroughPolicy' },
    metadata: { name, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    ...(spec === undefined ? {} : { spec }),
  };
}
