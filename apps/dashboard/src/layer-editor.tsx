import { type ConvSpec, DTYPES, hasOptionalFields, PADDINGS, PASSES, passOf } from '@alphaflops/conv';
import { useState } from 'react';
import { EXAMPLE, FIRST_LAYER, NUMBER_COLUMNS, OPTIONAL_COLUMNS } from './layer-link.js';
import { Panel, TableBox } from './ui.js';

/** Layers as rows; sizes in elements. */
export function LayerEditor(props: {
  layers: readonly ConvSpec[];
  onChange: (layers: readonly ConvSpec[]) => void;
}) {
  const { layers, onChange } = props;
  const [isFull, setIsFull] = useState(() => layers.some(hasOptionalFields));
  const change = (at: number, changes: Partial<ConvSpec>) => {
    onChange(layers.map((layer, other) => (other === at ? { ...layer, ...changes } : layer)));
  };
  return (
    <Panel
      title="Layers"
      unit="sizes in elements; “same” padding keeps ⌈size / stride⌉"
      actions={
        <>
          <button
            type="button"
            onClick={() => {
              onChange([...layers, layers.at(-1) ?? FIRST_LAYER]);
            }}
          >
            Add a layer
          </button>
          <button
            type="button"
            aria-pressed={isFull}
            onClick={() => {
              setIsFull(!isFull);
            }}
          >
            Strides by axis, dilation, pads, pass
          </button>
          <button
            type="button"
            onClick={() => {
              onChange(EXAMPLE);
            }}
          >
            Example: a ResNet-50 block
          </button>
        </>
      }
    >
      <TableBox label="Layers">
        <table className="layers">
          <thead>
            <tr>
              <th>#</th>
              {NUMBER_COLUMNS.map(([name, title]) => (
                <th key={name}>{title}</th>
              ))}
              {isFull && OPTIONAL_COLUMNS.map(([name, title]) => <th key={name}>{title}</th>)}
              {isFull && <th>Pass</th>}
              <th>Padding</th>
              <th>Type</th>
              <th>Remove</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer, at) => (
              <tr key={at}>
                <td>{at + 1}</td>
                {NUMBER_COLUMNS.map(([name, title]) => (
                  <td key={name}>
                    <input
                      type="number"
                      min={1}
                      aria-label={`${title} of layer ${at + 1}`}
                      value={layer[name] || ''}
                      onChange={({ target }) => {
                        change(at, { [name]: Number(target.value) });
                      }}
                    />
                  </td>
                ))}
                {isFull &&
                  OPTIONAL_COLUMNS.map(([name, title]) => (
                    <td key={name}>
                      <input
                        type="number"
                        min={name.startsWith('pad') ? 0 : 1}
                        aria-label={`${title} of layer ${at + 1}`}
                        value={layer[name] ?? ''}
                        onChange={({ target }) => {
                          change(at, { [name]: target.value === '' ? undefined : Number(target.value) });
                        }}
                      />
                    </td>
                  ))}
                {isFull && (
                  <td>
                    <select
                      aria-label={`Pass of layer ${at + 1}`}
                      value={passOf(layer)}
                      onChange={({ target }) => {
                        const pass = PASSES.find((name) => name === target.value);
                        change(at, { pass: pass === 'forward' ? undefined : pass });
                      }}
                    >
                      {PASSES.map((name) => (
                        <option key={name}>{name}</option>
                      ))}
                    </select>
                  </td>
                )}
                <td>
                  <select
                    aria-label={`Padding of layer ${at + 1}`}
                    value={layer.padding}
                    onChange={({ target }) => {
                      change(at, { padding: PADDINGS.find((name) => name === target.value) ?? 'same' });
                    }}
                  >
                    {PADDINGS.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                </td>
                <td>
                  <select
                    aria-label={`Element type of layer ${at + 1}`}
                    value={layer.dtype}
                    onChange={({ target }) => {
                      change(at, { dtype: DTYPES.find((name) => name === target.value) ?? 'f32' });
                    }}
                  >
                    {DTYPES.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                </td>
                <td>
                  <button
                    type="button"
                    disabled={layers.length === 1}
                    aria-label={`Remove layer ${at + 1}`}
                    onClick={() => {
                      onChange(layers.filter((_, other) => other !== at));
                    }}
                  >
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );
}
