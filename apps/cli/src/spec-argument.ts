import { specOfText } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { InvalidArgumentError } from 'commander';

/** A convolution as the value of an option. */
export function spec(text: string): ConvSpec {
  try {
    return specOfText(text);
  } catch (error) {
    throw new InvalidArgumentError((error as RangeError).message);
  }
}
