// Small texts of status objects: times as the API server writes them, and texts within the limits of the schemas.

/** RFC 3339 in whole seconds, UTC, of milliseconds since 1970 or of an ISO text with a fraction. */
export function seconds(at: number | string): string {
  const text = typeof at === 'number' ? new Date(at).toISOString() : at;
  return `${text.slice(0, 19)}Z`;
}

/** A text of at most `max` characters; a longer one ends with an ellipsis. */
export function within(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
