/** Why something did not succeed. */
export interface Refusal<Reason = string> {
  readonly ok: false;
  readonly reason: Reason;
}

/**
 * How something ended that can fail in a way that its caller expects: with `Value`, or with the reason. What nobody expects
 * is thrown, as the error class of the library.
 */
export type Result<Value extends object = object, Reason = string> =
  ({ readonly ok: true } & Readonly<Value>) | Refusal<Reason>;
