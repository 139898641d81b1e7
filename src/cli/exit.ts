// Exit statuses of the command line; docs/reference/exit-codes.md is generated from this table.
import { CodedError, errorCatalogue, errorText } from '../base/errors.ts';

/** Statuses that are answers, not failures. */
export const exitStatuses = {
  ok: { status: 0, meaning: 'It worked; explain: the group can be released now.' },
  blocked: {
    status: 1,
    meaning:
      'explain: the device cannot be passed through now (the reasons were printed). sim do: the machine refused the operation. kubectl wholegroup explain: what was asked about is not offered, not ready, or does not get what it asks for (the reasons were printed).',
  },
  noIommu: {
    status: 2,
    meaning:
      'inspect, explain: this machine has no active IOMMU, so nothing can be passed through.',
  },
  notFound: {
    status: 3,
    meaning:
      'explain: there is no such PCI function on this machine. kubectl wholegroup: there is no such group, node, policy or pod.',
  },
  interrupted: { status: 130, meaning: 'Ended by Ctrl-C.' },
} as const;

/** The status for something that was thrown, and the text for a person: what, then what to do. */
export function failureOf(thrown: unknown): { readonly status: number; readonly text: string } {
  if (thrown instanceof CodedError) {
    const entry = errorCatalogue[thrown.code];
    return {
      status: entry.exitStatus,
      text: `error ${thrown.code}: ${thrown.message}\n${entry.remedy}\n`,
    };
  }
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : errorText(thrown);
  return {
    status: errorCatalogue.WG_INTERNAL.exitStatus,
    text: `error WG_INTERNAL: ${trace}\n${errorCatalogue.WG_INTERNAL.remedy}\n`,
  };
}
