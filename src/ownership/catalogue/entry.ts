// The shape of a catalogue entry.

/** Meaning and remedy of a kind of blocker. */
export interface BlockerEntry {
  /** Completes "0000:04:00.0 …": lower case, without a full stop. `{}` stands for the subject. */
  readonly says: string;
  /** What a person does about it: one sentence in the imperative. */
  readonly remedy: string;
  /** Whether a policy may waive it by name (`waive:`). */
  readonly waivable: boolean;
}
