// PassthroughPolicy objects that are refused, one field at a time.
import { minimal, named, type Refusals, withSpec, without } from './policy-objects.ts';

/** Refused policies. */
export const badPolicies: Refusals = {
  'a text instead of an object': [
    'a40',
    '',
    /is not a mapping; must be a PassthroughPolicy object/,
  ],
  'a list instead of an object': [[minimal()], '', /is not a mapping/],
  'another kind': [
    { ...minimal(), kind: 'ConfigMap' },
    'kind',
    /is "ConfigMap"; must be PassthroughPolicy/,
  ],
  'no kind': [without('kind'), 'kind', /is missing; must be PassthroughPolicy/],
  'another version': [
    { ...minimal(), apiVersion: 'wholegroup.dev/v1' },
    'apiVersion',
    /is "wholegroup\.dev\/v1"; must be wholegroup\.dev\/v1alpha1/,
  ],
  'no version': [
    without('apiVersion'),
    'apiVersion',
    /is missing; must be wholegroup\.dev\/v1alpha1/,
  ],
  'no metadata': [without('metadata'), 'metadata', /is missing; must be a mapping/],
  'no spec': [
    without('spec'),
    'spec',
    /is missing; must be a mapping with the fields resourceName, /,
  ],
  'spec as a list': [{ ...minimal(), spec: [] }, 'spec', /is \[\]; must be a mapping/],
  'an unknown field beside spec': [
    { ...minimal(), specs: {} },
    'specs',
    /unknown field "specs", did you mean spec\?/,
  ],
  'no name': [
    { ...minimal(), metadata: {} },
    'metadata.name',
    /is missing; must be an object name/,
  ],
  'a name in upper case': [
    named('A40'),
    'metadata.name',
    /is "A40"; must be an object name: lower-case/,
  ],
  'a name with an underscore': [named('gpu_a40'), 'metadata.name', /must be an object name/],
  'a name that is a number': [
    named(40),
    'metadata.name',
    /is 40; .*it was read as a number: put it in quotes/,
  ],
  'a name of 254 characters': [named('a'.repeat(254)), 'metadata.name', /at most 253 characters/],
  'a label value with a space': [
    { ...minimal(), metadata: { name: 'a', labels: { team: 'm l' } } },
    'metadata.labels.team',
    /is "m l"; must be a label value/,
  ],
  'no resource name': [
    { ...minimal(), spec: { devices: [{ vendor: '10de' }] } },
    'spec.resourceName',
    /is missing; must be an extended resource name/,
  ],
  'a resource name without a domain': [
    withSpec({ resourceName: 'gpu' }),
    'spec.resourceName',
    /"gpu": needs exactly one "\/"/,
  ],
  'a resource name of Kubernetes': [
    withSpec({ resourceName: 'kubernetes.io/gpu' }),
    'spec.resourceName',
    /belongs to Kubernetes/,
  ],
  'a resource name for quotas': [
    withSpec({ resourceName: 'requests.example.com/gpu' }),
    'spec.resourceName',
    /belong to quotas/,
  ],
  'a resource name with a space': [
    withSpec({ resourceName: 'example.com/my gpu' }),
    'spec.resourceName',
    /"my gpu" is not a name; write an extended resource name DOMAIN\/NAME/,
  ],
  'a resource name as a list': [
    withSpec({ resourceName: ['example.com/gpu'] }),
    'spec.resourceName',
    /must be an extended resource name/,
  ],
  'a resource name with nothing after the colon': [
    withSpec({ resourceName: null }),
    'spec.resourceName',
    /is missing; must be an extended resource name/,
  ],
  'an unknown field with nothing after the colon': [
    withSpec({ nope: null }),
    'spec.nope',
    /unknown field "nope"/,
  ],
  'a selector that is nothing': [
    withSpec({ devices: [null] }),
    'spec.devices[0]',
    /is null; must be a mapping with the fields vendor/,
  ],
  'no devices': [
    { ...minimal(), spec: { resourceName: 'example.com/gpu' } },
    'spec.devices',
    /is missing; must be a list of at least one selector/,
  ],
  'an empty list of devices': [
    withSpec({ devices: [] }),
    'spec.devices',
    /is an empty list; must have at least one selector/,
  ],
  'devices as a mapping': [
    withSpec({ devices: { vendor: '10de' } }),
    'spec.devices',
    /must be a list of at least one selector/,
  ],
  'more selectors than anybody needs': [
    withSpec({ devices: Array.from({ length: 257 }, () => ({ vendor: '10de' })) }),
    'spec.devices',
    /has too many items; .*at most 256/,
  ],
  'a node selector without matchLabels': [
    withSpec({ nodeSelector: { matchLabels: {}, gpu: 'a40' } }),
    'spec.nodeSelector.gpu',
    /unknown field "gpu" \(allowed here: matchLabels\)/,
  ],
  'a label key with two slashes': [
    withSpec({ nodeSelector: { matchLabels: { 'a/b/c': 'x' } } }),
    'spec.nodeSelector.matchLabels',
    /"a\/b\/c" is not a label key/,
  ],
  'a label value that YAML read as true': [
    withSpec({ nodeSelector: { matchLabels: { gpu: true } } }),
    'spec.nodeSelector.matchLabels.gpu',
    /it was read as a boolean: put it in quotes/,
  ],
  'a fractional priority': [
    withSpec({ priority: 1.5 }),
    'spec.priority',
    /is 1\.5; must be precedence .* a whole number/,
  ],
  'a priority beyond 32 bits': [
    withSpec({ priority: 2 ** 31 }),
    'spec.priority',
    /from -2147483648 to 2147483647/,
  ],
  'unknown companions': [
    withSpec({ companions: 'All' }),
    'spec.companions',
    /is "All"; must be one of SameSlot, Listed, Any/,
  ],
  'companions in lower case': [
    withSpec({ companions: 'sameslot' }),
    'spec.companions',
    /did you mean SameSlot\?/,
  ],
  'Listed without companionDevices': [
    withSpec({ companions: 'Listed' }),
    'spec.companionDevices',
    /companions: Listed needs at least one selector here/,
  ],
  'Listed with an empty list': [
    withSpec({ companions: 'Listed', companionDevices: [] }),
    'spec.companionDevices',
    /needs at least one selector/,
  ],
  'companionDevices without Listed': [
    withSpec({ companionDevices: [{ class: '0403' }] }),
    'spec.companionDevices',
    /only allowed with companions: Listed \(companions is SameSlot\)/,
  ],
  'more primaries at least than at most': [
    withSpec({ primaries: { min: 3, max: 2 } }),
    'spec.primaries',
    /min is 3 and max is 2; min must not be more than max/,
  ],
  'at least more primaries than the default at most': [
    withSpec({ primaries: { min: 2 } }),
    'spec.primaries',
    /min is 2 and max is 1/,
  ],
  'no primaries at least': [
    withSpec({ primaries: { min: 0 } }),
    'spec.primaries.min',
    /is 0; .*a whole number from 1/,
  ],
  'a binding there is not': [
    withSpec({ binding: 'OnAlocate' }),
    'spec.binding',
    /did you mean OnAllocate\?/,
  ],
  'an access there is not': [
    withSpec({ access: 'Both' }),
    'spec.access',
    /must be one of Group, Cdev, Auto/,
  ],
  'a VFIO driver as a path': [
    withSpec({ vfioDriver: '../vfio' }),
    'spec.vfioDriver',
    /must be the name of a VFIO driver/,
  ],
  'a reset there is not': [
    withSpec({ reset: true }),
    'spec.reset',
    /is true; must be one of Required, Preferred, Never/,
  ],
  'waive as one word': [
    withSpec({ waive: 'SwapActive' }),
    'spec.waive',
    /is "SwapActive"; must be a list of kinds of host use/,
  ],
  'a mistyped waived kind': [
    withSpec({ waive: ['SwpActive'] }),
    'spec.waive[0]',
    /did you mean SwapActive\?.* must be one of FilesystemMounted/,
  ],
  'a waived kind twice': [
    withSpec({ waive: ['SwapActive', 'SwapActive'] }),
    'spec.waive[1]',
    /"SwapActive" is listed twice/,
  ],
  'a structural blocker waived': [
    withSpec({ waive: ['NoiommuGroup'] }),
    'spec.waive[0]',
    /NoiommuGroup can never be waived/,
  ],
  'a mode that YAML read as a number': [
    withSpec({ deviceNodes: { mode: 660 } }),
    'spec.deviceNodes.mode',
    /is 660; must be a file mode: octal digits in quotes.*put it in quotes/,
  ],
  'a mode with a set-uid bit': [
    withSpec({ deviceNodes: { mode: '4755' } }),
    'spec.deviceNodes.mode',
    /must be a file mode/,
  ],
  'a negative user': [
    withSpec({ deviceNodes: { uid: -1 } }),
    'spec.deviceNodes.uid',
    /is -1; must be a user id/,
  ],
};

for (const kind of [
  'RootDisk',
  'NodeAddress',
  'NetworkDefaultRoute',
  'SystemConsole',
  'BootDisplay',
  'FramebufferConsole',
  'UnknownUse',
]) {
  badPolicies[`${kind} waived`] = [
    withSpec({ waive: [kind] }),
    'spec.waive[0]',
    new RegExp(`${kind} can never be waived; must be one of`),
  ];
}
