// Names, labels and metadata as the Kubernetes API has them (apimachinery util/validation and
// meta/v1 ObjectMeta). Fields that only a server sets are accepted and not looked at.
import * as z from 'zod';
import { shown, strict, text, textThat, wholeNumber } from './forms.ts';

/** The API group and version of every wholegroup object. */
export const apiVersion = 'wholegroup.dev/v1alpha1';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelWord = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** A name of a cluster-scoped object: a DNS-1123 subdomain. */
const objectName = text(
  'an object name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit, ' +
    'at most 253 characters',
  subdomain,
  253,
);

/** Why `key` is not a label key, or null. */
function labelKeyProblem(key: string): string | null {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length > 1 ? parts[0] : undefined;
  const good =
    parts.length <= 2 &&
    name.length <= 63 &&
    labelWord.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix)));
  return good
    ? null
    : `${shown(key)} is not a label key: [DOMAIN/]NAME, the name of at most 63 characters`;
}

const labelValue = textThat('a label value: up to 63 letters, digits, "-", "_" and "."', (value) =>
  value === '' || (value.length <= 63 && labelWord.test(value))
    ? null
    : `is ${shown(value)}; must be a label value: up to 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`,
);

/** Label keys and values, for labels and for selectors. */
export const labels = z
  .record(z.string(), labelValue, { error: 'must be a mapping of label keys to label values' })
  .check((context) => {
    for (const key of Object.keys(context.value)) {
      const problem = labelKeyProblem(key);
      if (problem !== null) {
        context.issues.push({ code: 'custom', input: context.value, message: problem });
      }
    }
  });

const serverSet = z.unknown().optional();

/** metadata of a cluster-scoped object. */
export const objectMeta = strict({
  name: objectName,
  labels: labels.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  creationTimestamp: z.string().nullable().optional(),
  uid: z.string().optional(),
  generation: wholeNumber('the generation of the spec', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  }).optional(),
  resourceVersion: z.string().optional(),
  ownerReferences: serverSet,
  finalizers: serverSet,
  managedFields: serverSet,
  deletionTimestamp: serverSet,
  deletionGracePeriodSeconds: serverSet,
  generateName: serverSet,
  selfLink: serverSet,
});
