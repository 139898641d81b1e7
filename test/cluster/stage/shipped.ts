// What the chart of this checkout ships when nobody says otherwise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const values = join(import.meta.dirname, '..', '..', '..', 'charts', 'wholegroup', 'values.yaml');

/** The capabilities that the agent is given. */
export function agentCapabilities(): readonly string[] {
  const { agent } = parse(readFileSync(values, 'utf8')) as {
    readonly agent: { readonly capabilities: readonly string[] };
  };
  return agent.capabilities;
}
