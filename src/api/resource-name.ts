// The resource name of a policy: judged by the one parser of such names, and by the same rules on the API server.
import { parseResourceName } from '../policy/resource-name.ts';
import { textThat } from './forms.ts';
import { type Rule, ruled } from './rules.ts';

const domain = "self.split('/')[0]";
const name = "self.split('/')[1]";
const parted = "self.split('/').size() == 2";

/** A rule about the parts: silent where there are no two. */
function ofParts(rule: string, message: string, messageExpression?: string): Rule {
  const expression = messageExpression === undefined ? {} : { messageExpression };
  return { rule: `!(${parted}) || ${rule}`, message, ...expression };
}

const subdomain = String.raw`r'^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'`;
const namePart = `r'^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'`;

/** problemOf of src/policy/resource-name.ts, line by line. */
const rules: readonly Rule[] = [
  { rule: parted, message: 'needs exactly one "/" between a domain and a name' },
  {
    rule: `!(${parted}) || !self.contains('kubernetes.io/')`,
    message: 'the domain kubernetes.io belongs to Kubernetes itself',
  },
  {
    rule: `!(${parted}) || !self.startsWith('requests.')`,
    message: 'names that begin with "requests." belong to quotas',
  },
  ofParts(`size(${domain}) <= 244`, 'the domain has more than 244 characters'),
  ofParts(
    `size(${domain}) > 244 || ${domain}.matches(${subdomain})`,
    'is not a domain before the "/"',
    `'"' + ${domain} + '" is not a domain'`,
  ),
  ofParts(`size(${name}) <= 63`, 'the name has more than 63 characters'),
  ofParts(
    `size(${name}) > 63 || ${name}.matches(${namePart})`,
    'is not a name after the "/"',
    `'"' + ${name} + '" is not a name'`,
  ),
];

/** The name of an extended resource. */
export const resourceNameSchema = ruled(
  textThat('an extended resource name, for example example.com/nic', 1024, (value) => {
    const parsed = parseResourceName(value);
    return parsed.ok ? null : `is ${parsed.problem}`;
  }),
  rules,
);
