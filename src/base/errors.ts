// The catalogue of coded errors: failures at a boundary (a bad flag, an unreadable file, a socket that
// is not there). Each code has one meaning and one remedy, printed with the error and documented in
// docs/reference/errors.md (a test holds both sides together).

interface ErrorEntry {
  /** What happened, for every error of this code. */
  readonly meaning: string;
  /** What a person does about it. */
  readonly remedy: string;
  /** Exit status of the process when this error ends it (sysexits.h numbers). */
  readonly exitStatus: number;
}

/** Every code there is. */
export const errorCatalogue = {
  WG_FLAG_INVALID: {
    meaning: 'A command-line flag or argument is not of the allowed form.',
    remedy: 'Correct the flag that the message names; `wholegroup COMMAND --help` lists the forms.',
    exitStatus: 64,
  },
  WG_POLICY_INVALID: {
    meaning: 'A policy file or object is not of the allowed form.',
    remedy:
      'Correct the field that the message names. The policies that were in force stay in force.',
    exitStatus: 65,
  },
  WG_TOPOLOGY_INVALID: {
    meaning: 'A topology file (simulated machine) is not of the allowed form.',
    remedy: 'Correct the field that the message names; docs/reference/topology.md shows the form.',
    exitStatus: 65,
  },
  WG_SCRIPT_INVALID: {
    meaning: 'A line of a kernel script is not of the allowed form.',
    remedy: 'Correct the line that the message names; docs/reference/scripts.md lists the words.',
    exitStatus: 65,
  },
  WG_KERNEL_UNSUITABLE: {
    meaning: 'This kernel cannot be used safely: it does not account for DMA ownership of groups.',
    remedy: 'Use Linux 5.19 or newer, or a distribution kernel that carries the backport.',
    exitStatus: 69,
  },
  WG_KERNEL_UNREACHABLE: {
    meaning: 'The kernel served on a socket (`--kernel unix:///…`) cannot be reached.',
    remedy: 'Start `wholegroup sim --listen PATH` first, and check the path and its permissions.',
    exitStatus: 69,
  },
  WG_RECORD_DIR_UNUSABLE: {
    meaning: 'The folder for the durable group records cannot be read or written.',
    remedy: 'Give the agent a writable folder on a local file system with `--state`.',
    exitStatus: 73,
  },
  WG_RECORD_WRITE_FAILED: {
    meaning: 'A group record could not be made durable, so nothing was done to the group.',
    remedy: 'Free space on, or remount read-write, the file system that holds `--state`.',
    exitStatus: 74,
  },
  WG_KUBELET_SOCKET_FAILED: {
    meaning: 'A socket in the kubelet plugin folder could not be served.',
    remedy:
      "Check that `--kubelet-dir` is the kubelet's own folder, writable, and shorter than 80 characters.",
    exitStatus: 73,
  },
  WG_CDI_WRITE_FAILED: {
    meaning:
      'A CDI spec file could not be written, removed or listed, so the container was not started.',
    remedy:
      'Make the CDI folder (`/var/run/cdi`) writable and free space on it, or use `--delivery device-nodes`.',
    exitStatus: 73,
  },
  WG_LISTEN_FAILED: {
    meaning: 'An address for health checks and metrics, or a socket, could not be listened on.',
    remedy: 'Choose a free address; another agent may already be running.',
    exitStatus: 69,
  },
  WG_KUBECONFIG_INVALID: {
    meaning: 'A kubeconfig cannot be read, or does not say which cluster to talk to.',
    remedy:
      'Correct what the message names, or choose with `--context` or KUBECONFIG; `kubectl config view` shows what is read.',
    exitStatus: 78,
  },
  WG_CREDENTIALS_FAILED: {
    meaning:
      'There are no credentials for the API server: no token, certificate or exec plugin gave one.',
    remedy:
      'In a pod: mount the service account token. On a desk: log in again, or run the exec plugin that the message names by hand.',
    exitStatus: 77,
  },
  WG_API_UNREACHABLE: {
    meaning: 'The API server cannot be reached, or did not answer.',
    remedy:
      'Try `kubectl version`; choose another cluster with `--context`, or look after this one.',
    exitStatus: 69,
  },
  WG_API_REFUSED: {
    meaning: 'The API server refused what was asked of it.',
    remedy:
      'Ask for the right that the message names: the ClusterRole wholegroup-view to look, wholegroup-operator to cordon.',
    exitStatus: 77,
  },
  WG_NOT_INSTALLED: {
    meaning: 'This cluster does not have the custom resources of wholegroup.',
    remedy:
      'Apply `deploy/crds` (or install the chart), or choose another cluster with `--context`.',
    exitStatus: 69,
  },
  WG_INTERNAL: {
    meaning: 'A bug in wholegroup.',
    remedy: 'Please report it with the printed trace and `wholegroup inspect --export`.',
    exitStatus: 70,
  },
} as const satisfies Record<string, ErrorEntry>;

/** One of the documented codes. */
export type ErrorCode = keyof typeof errorCatalogue;

/** A failure at a boundary. `message` names the thing and the allowed form; the catalogue has the remedy. */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
