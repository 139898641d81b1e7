// Names of extended resources, judged exactly as the kubelet and the API server do
// (pkg/apis/core/v1/helper IsExtendedResourceName and apimachinery IsQualifiedName).
import { fail, ok, type Result } from '../base/result.ts';
import type { ResourceName } from './policy.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** The quota system puts `requests.` before the name, and the result has to be a name too: 253 - 9. */
const domainCharactersMax = 253 - 'requests.'.length;
const nameCharactersMax = 63;

/** The form, for messages. */
const resourceNameForm =
  'an extended resource name DOMAIN/NAME, for example example.com/nic (domain: lower-case letters, digits, ' +
  '"-" and "."; name: up to 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit)';

/** Why `text` is not the name of an extended resource, or null when it is one. */
function problemOf(text: string): string | null {
  const parts = text.split('/');
  const [domain = '', name = ''] = parts;
  if (parts.length !== 2) return `needs exactly one "/" between a domain and a name`;
  if (text.includes('kubernetes.io/'))
    return 'the domain kubernetes.io belongs to Kubernetes itself';
  if (text.startsWith('requests.')) return 'names that begin with "requests." belong to quotas';
  if (domain.length > domainCharactersMax) {
    return `the domain has more than ${domainCharactersMax} characters`;
  }
  if (!subdomain.test(domain)) return `"${domain}" is not a domain`;
  if (name.length > nameCharactersMax) {
    return `the name has more than ${nameCharactersMax} characters`;
  }
  if (!namePart.test(name)) return `"${name}" is not a name`;
  return null;
}

/** Parses the name of an extended resource; the problem says what is wrong and gives the form. */
export function parseResourceName(text: string): Result<ResourceName> {
  const problem = problemOf(text);
  if (problem === null) return ok(text as ResourceName);
  return fail(`"${text}": ${problem}; write ${resourceNameForm}`);
}
