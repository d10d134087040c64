/** The problem is not valid. A fit that does not converge never throws this error. */
export class LeastSquaresError extends Error {
  override readonly name = 'LeastSquaresError';

  constructor(
    readonly code: 'bad-shape' | 'bad-bounds' | 'not-finite',
    message: string,
  ) {
    super(message);
  }
}
