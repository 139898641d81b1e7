// A custom resource for tests of what is written: cluster-scoped, with a status.

const status = {
  type: 'object',
  properties: {
    value: { type: 'integer', nullable: true },
    list: { type: 'array', items: { type: 'string' } },
  },
};

/** The CustomResourceDefinition of `probes`. */
export const probeDefinition = JSON.stringify({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'probes.test.wholegroup.dev' },
  spec: {
    group: 'test.wholegroup.dev',
    scope: 'Cluster',
    names: { plural: 'probes', singular: 'probe', kind: 'Probe' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', properties: { status } } },
      },
    ],
  },
});
