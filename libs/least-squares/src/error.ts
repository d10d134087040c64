/** A problem that cannot be posed; never thrown for a fit that merely does not succeed. */
export class LeastSquaresError extends Error {
  override readonly name = 'LeastSquaresError';

  constructor(
    readonly code: 'bad-shape' | 'bad-bounds' | 'not-finite',
    message: string,
  ) {
    super(message);
  }
}
