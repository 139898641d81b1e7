// PassthroughPolicy objects to make tables of: the smallest one, and what differs from it.
import { parsePolicies } from '../../../src/api/policy-text.ts';

export interface Loose {
  apiVersion: unknown;
  kind: unknown;
  metadata: unknown;
  spec: Record<string, unknown>;
}

export const minimal = (): Loose => ({
  apiVersion: 'wholegroup.dev/v1alpha1',
  kind: 'PassthroughPolicy',
  metadata: { name: 'a40' },
  spec: { resourceName: 'nvidia.com/GA102GL_A40', devices: [{ vendor: '10de', device: '2235' }] },
});

export function parseObject(object: unknown): ReturnType<typeof parsePolicies> {
  return parsePolicies(JSON.stringify(object), 'a.json');
}

export const withSpec = (fields: object): Loose => ({
  ...minimal(),
  spec: { ...minimal().spec, ...fields },
});
export const withDevice = (selector: unknown): Loose => withSpec({ devices: [selector] });
export const without = (...fields: string[]): object =>
  Object.fromEntries(Object.entries(minimal()).filter(([field]) => !fields.includes(field)));
export const named = (name: unknown): Loose => ({ ...minimal(), metadata: { name } });

/** What is refused: the object, the field that the problem must name ("" for the whole), and what the agent says. */
export type Refusals = Record<string, [object: unknown, field: string, message: RegExp]>;
