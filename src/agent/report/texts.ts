// Texts of status objects within the limits of the schemas.

/** A text of at most `max` characters; a longer one ends with an ellipsis. */
export function within(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
