// Whether two JSON values mean the same to the API server: null and absent are one, the order of keys is none.

type Json = unknown;

const absent = (value: Json): boolean => value === null || value === undefined;

/** True when `a` and `b` are the same JSON, with null fields counted as absent. */
export function sameJson(a: Json, b: Json): boolean {
  if (absent(a) || absent(b)) return absent(a) && absent(b);
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((each, index) => sameJson(each, b[index]))
    );
  }
  const [left, right] = [a as Record<string, Json>, b as Record<string, Json>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => sameJson(left[key], right[key]));
}

/** True when everything in `wanted` is in `live` as well; lists must be the same. */
export function coversJson(live: Json, wanted: Json): boolean {
  if (absent(wanted)) return true;
  if (typeof wanted !== 'object' || Array.isArray(wanted)) return sameJson(live, wanted);
  if (typeof live !== 'object' || live === null) return false;
  return Object.entries(wanted as object).every(([key, value]) =>
    coversJson((live as Record<string, Json>)[key], value),
  );
}
