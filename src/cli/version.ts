// The version of this program; a test holds it together with package.json.

/** Version of wholegroup. */
export const version = '0.1.0';
