// Names of nodes that report to the API server. Apart from the schemas: an agent without an API server loads none.

const allowed = 'lower-case letters, digits, "-" and ".", at most 63 characters';
const form = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * What is wrong with the name of a node under which an agent is to report; null: nothing. It stands in names of objects
 * and is the value of the label by which these are found: a DNS subdomain of at most 63 characters. (The same holds where
 * a kubelet names its node: it sets the label kubernetes.io/hostname; pkg/kubelet/kubelet_node_status.go.)
 */
export function reportedNameProblem(nodeName: string): string | null {
  if (nodeName.length > 63)
    return `has ${nodeName.length} characters: a node that reports to the API server has ${allowed}`;
  return form.test(nodeName)
    ? null
    : `is no name of a node: ${allowed}, each part beginning and ending with a letter or digit`;
}
