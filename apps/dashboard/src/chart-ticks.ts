/** Marks of a logarithmic axis: powers of ten, or finer steps if the range has fewer than two of them. */
export function logTicks(min: number, max: number): number[] {
  const powers = multiples(min, max, [1]);
  if (powers.length >= 2) return powers;
  const fine = multiples(min, max, [1, 2, 5]);
  return fine.length >= 2 ? fine : evenTicks(min, max);
}

/** Digits times powers of ten, within the range. */
function multiples(min: number, max: number, digits: readonly number[]): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
    // The usual notation: 0.3 and not 0.30000000000000004.
    found.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  return found.filter((value) => value >= min && value <= max);
}

/** About six steps of 1, 2 or 5 times a power of ten, within the range. */
function evenTicks(min: number, max: number): number[] {
  if (!(max > min)) return [min];
  const rough = (max - min) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= rough) ?? rough;
  const first = Math.ceil(min / step);
  const last = Math.floor(max / step);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}
