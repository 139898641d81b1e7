// Writes to wholegroup objects as agents, the controller and people make them.
import { assignedGroup, nodeObject } from '../objects/group-objects.ts';
import { withSpec } from '../objects/policy-objects.ts';
import { type ApiCall, applyPatch, mergePatch } from '../support/api-call.ts';

/** A call without the one who makes it. */
export type Write = Omit<ApiCall, 'token'>;

export const api = '/apis/wholegroup.dev/v1alpha1';

/** Path of a group of a node. */
export const groupOf = (node: string): string => `${api}/iommugroups/${node}-0000-65-00-0`;

export const nodeLabels = (node: string): object => ({ 'wholegroup.dev/node': node });

function applied(path: string, body: object): Write {
  const query = 'fieldManager=test&force=true&fieldValidation=Strict';
  return { method: 'PATCH', path: `${path}?${query}`, contentType: applyPatch, body };
}

export const merged = (path: string, body: object): Write => {
  return { method: 'PATCH', path, contentType: mergePatch, body };
};

/** The object of a group as its agent makes it. */
export function groupApplied(node: string, changes: object = {}): Write {
  const { apiVersion, kind } = assignedGroup;
  const metadata = { name: `${node}-0000-65-00-0`, labels: nodeLabels(node) };
  return applied(groupOf(node), { apiVersion, kind, metadata, ...changes });
}

export function groupStatusApplied(node: string): Write {
  const { apiVersion, kind, status } = assignedGroup;
  const metadata = { name: `${node}-0000-65-00-0` };
  const body = { apiVersion, kind, metadata, status: { ...status, nodeName: node } };
  return applied(`${groupOf(node)}/status`, body);
}

export function nodeApplied(node: string): Write {
  const { apiVersion, kind } = nodeObject;
  const metadata = { name: node, labels: nodeLabels(node) };
  return applied(`${api}/passthroughnodes/${node}`, { apiVersion, kind, metadata });
}

export const nodeStatusApplied = (node: string): Write => {
  const body = { ...nodeObject, metadata: { name: node } };
  return applied(`${api}/passthroughnodes/${node}/status`, body);
};

const policyStatus = {
  observedGeneration: 1,
  groups: { matched: 1, offered: 1, assigned: 0, blocked: 0, faulted: 0 },
  conditions: [],
};
export const policyStatusWritten = merged(`${api}/passthroughpolicies/a40/status`, {
  status: policyStatus,
});

/** Makes a policy that waives two blockers. */
export function waiving(query = ''): Write {
  const body = {
    ...withSpec({ waive: ['SwapActive', 'SoundInUse'] }),
    metadata: { name: 'waiver' },
  };
  return { method: 'POST', path: `${api}/passthroughpolicies${query}`, body };
}
