import { Field } from '../ui.js';
import type { ReadTask } from './read-network.js';

/** The typed sizes of one input. Without a name, they belong to the first input. */
export interface InputField {
  readonly name: string;
  readonly sizes: string;
}

/** The typed sizes in the form for the reader of the file. */
export function sizesOf(inputs: readonly InputField[]): Pick<ReadTask['options'], 'inputShape' | 'inputs'> {
  const typed = inputs
    .filter(({ sizes }) => sizes.trim() !== '')
    .map(({ name, sizes }) => ({
      name: name.trim(),
      sizes: sizes
        .trim()
        .split(/[x×,\s]+/)
        .map(Number),
    }));
  const first = typed.find(({ name }) => name === '');
  const named = typed.filter(({ name }) => name !== '');
  return {
    ...(first !== undefined && { inputShape: first.sizes }),
    ...(named.length > 0 && { inputs: Object.fromEntries(named.map(({ name, sizes }) => [name, sizes])) }),
  };
}

export function InputFields(props: {
  inputs: readonly InputField[];
  onChange: (inputs: readonly InputField[]) => void;
}) {
  const { inputs, onChange } = props;
  const change = (at: number, part: Partial<InputField>) => {
    onChange(inputs.map((each, other) => (other === at ? { ...each, ...part } : each)));
  };
  return (
    <>
      {inputs.map(({ name, sizes }, at) => {
        const which = at === 0 ? '' : ` ${at + 1}`;
        return (
          <div className="fields" key={at}>
            <Field
              label={`All sizes of the input${which}`}
              hint="in the order of the file, for example 1x3x224x224"
            >
              <input
                placeholder="as in the file"
                value={sizes}
                onChange={({ target }) => {
                  change(at, { sizes: target.value });
                }}
              />
            </Field>
            <Field label={`Name of the input${which}`} hint="the first input, unless you name another">
              <input
                placeholder="the first"
                value={name}
                onChange={({ target }) => {
                  change(at, { name: target.value });
                }}
              />
            </Field>
          </div>
        );
      })}
      <button
        type="button"
        onClick={() => {
          onChange([...inputs, { name: '', sizes: '' }]);
        }}
      >
        One more input
      </button>
    </>
  );
}
