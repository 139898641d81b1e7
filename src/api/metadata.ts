// Names, labels and metadata as the Kubernetes API has them (apimachinery util/validation and
// meta/v1 ObjectMeta). Fields that only a server sets are accepted and not looked at.
import * as z from 'zod';
import { shown, strict, text, wholeNumber } from './forms.ts';
import { celText, ruled } from './rules.ts';

/** The API group of every wholegroup object. */
export const apiGroup = 'wholegroup.dev';

/** The version of every wholegroup object. */
export const apiVersionName = 'v1alpha1';

/** The two as objects carry them. */
export const apiVersion = `${apiGroup}/${apiVersionName}` as const;

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A name of a cluster-scoped object: a DNS-1123 subdomain. */
const objectName = text(
  'an object name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit, ' +
    'at most 253 characters',
  subdomain,
  253,
);

const keyName = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const labelKey = new RegExp(`^(${subdomain.source.slice(1, -1)}/)?${keyName}$`);
const prefixCharactersMax = 253;
const notAKey = 'is not a label key: [DOMAIN/]NAME, the name of at most 63 characters';
const labelsMax = 64;

function isLabelKey(key: string): boolean {
  return labelKey.test(key) && key.indexOf('/') <= prefixCharactersMax;
}

const labelValue = text(
  'a label value: up to 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
  /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  // Longer than allowed, so that the form is told and not only a number.
  253,
);

const form = `a mapping of at most ${labelsMax} label keys to label values`;

const goodKeys = z.superRefine<Readonly<Record<string, unknown>>>((value, context) => {
  const keys = Object.keys(value);
  if (keys.length > labelsMax) {
    context.addIssue({ code: 'custom', message: `has too many keys; must be ${form}` });
  }
  for (const key of keys.filter((each) => !isLabelKey(each)))
    context.addIssue({ code: 'custom', message: `${shown(key)} ${notAKey}` });
});

/** Label keys and values, for labels and for selectors. */
export const labels = ruled(
  z
    .record(z.string(), labelValue, { error: 'must be a mapping of label keys to label values' })
    .check(goodKeys)
    .meta({ description: form, maxProperties: labelsMax }),
  [
    {
      rule: `self.all(key, key.matches(${celText(labelKey.source)}) && key.indexOf('/') <= ${prefixCharactersMax})`,
      message: notAKey,
    },
  ],
);

const serverSet = z.unknown().optional();

/** metadata of a cluster-scoped object. */
export const objectMeta = strict({
  name: objectName,
  namespace: serverSet,
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
