// The demo's policies, as a person would write them into a file.

/** Resource names of the story. */
export const resources = {
  gpu: 'nvidia.com/AD102_GEFORCE_RTX_4090',
  sound: 'example.com/hda-audio',
  nics: 'example.com/e1000e',
  disks: 'example.com/nvme',
} as const;

/** The text of the policy file. */
export const policyText = `# What the demo offers. The agent watches this file: edit it and look.
apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: rtx4090}
spec:
  resourceName: ${resources.gpu}
  priority: 10
  devices: [{vendor: "10de", device: "2684"}]
  companions: SameSlot            # its audio, USB-C and UCSI functions come along
---
apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: hda-audio}
spec:
  resourceName: ${resources.sound}
  devices: [{class: "0403"}]
---
apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: e1000e}
spec:
  resourceName: ${resources.nics}
  devices: [{vendor: "8086", device: "10d3"}]
  primaries: {min: 1, max: 2}
---
apiVersion: wholegroup.dev/v1alpha1
kind: PassthroughPolicy
metadata: {name: nvme}
spec:
  resourceName: ${resources.disks}
  devices: [{class: "0108"}]
`;
