/** Why an operation did not succeed. */
export interface Refusal<Reason = string> {
  readonly ok: false;
  readonly reason: Reason;
}

/**
 * The result of an operation that can fail in a way that its caller expects: `Value`, or the reason. For an unexpected failure,
 * the operation throws the error class of the library.
 */
export type Result<Value extends object = object, Reason = string> =
  ({ readonly ok: true } & Readonly<Value>) | Refusal<Reason>;
