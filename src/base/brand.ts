// Branded primitives: a value that only its own parser can make.

declare const brand: unique symbol;

/** `Base` that went through the parser named `Name`; assignable to Base, never the other way. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
