// What the kubelet tells about who holds which device (PodResources v1), as data.
import type { ResourceName } from '../policy/policy.ts';

/** One container that the kubelet says holds devices of one resource. PodResources has no pod UID. */
export interface DeviceHolder {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly resource: ResourceName;
  readonly deviceIds: readonly string[];
}

/** One answer of PodResources List. */
export type HoldersAnswer =
  | {
      readonly kind: 'holders';
      readonly holders: readonly DeviceHolder[];
      /** When the kubelet was asked, monotonic: tells a new answer from a shared one. */
      readonly askedAtMs: number;
      /** Changes when another kubelet process answers: lists of different incarnations are not "successive". */
      readonly kubeletIncarnation: string;
      /** How long that kubelet has been seen up; its lists are empty or partial right after a start. */
      readonly kubeletUpMs: number;
    }
  | { readonly kind: 'unreachable'; readonly why: string };

/** The kubelet's list of holders. */
export interface HolderSource {
  /**
   * The answer to a question asked after this call, shared by all who wait. Rate-limited by the implementation: about
   * one a second; with `fresh` at once, as long as that is not wanted too often.
   */
  list(options?: { readonly fresh?: boolean }): Promise<HoldersAnswer>;
}
