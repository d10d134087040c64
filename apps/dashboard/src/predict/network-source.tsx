import { useMutation } from '@tanstack/react-query';
import { completenessText } from '@alphaflops/networks/completeness';
import { type DragEvent, useId, useState } from 'react';
import { count, scaled } from '../format.js';
import { Field, Panel, Trouble } from '../ui.js';
import { EXAMPLES, exampleFile } from './examples.js';
import { InputFields, sizesOf, type InputField } from './input-fields.js';
import { type Network, networkFileOf, readNetworkFile } from './read-network.js';

const FORMATS: Readonly<Record<Network['format'], string>> = {
  onnx: 'ONNX',
  keras: 'Keras',
  'tfjs-layers': 'TensorFlow.js layers model',
  'tfjs-graph': 'TensorFlow.js graph model',
  'layer-list': 'list of layers',
};

/** An area to drop or choose a network file, and its contents. */
export function NetworkSource(props: {
  network: Network | null;
  onChange: (network: Network | null) => void;
}) {
  const { network, onChange } = props;
  const [files, setFiles] = useState<readonly File[]>([]);
  const [batch, setBatch] = useState('');
  const [inputs, setInputs] = useState<readonly InputField[]>([{ name: '', sizes: '' }]);
  const [isOver, setOver] = useState(false);
  const id = useId();
  const read = useMutation({
    mutationFn: async (given: readonly File[]) =>
      readNetworkFile(given, {
        ...(batch !== '' && { batch: Number(batch) }),
        ...sizesOf(inputs),
      }),
    onSuccess: onChange,
  });
  const take = (list: FileList | null) => {
    const given = [...(list ?? [])];
    if (given.length === 0) return;
    setFiles(given);
    read.mutate(given);
  };
  const takeExample = useMutation({
    mutationFn: exampleFile,
    onSuccess: (file) => {
      setFiles([file]);
      read.mutate([file]);
    },
  });
  const fileName = networkFileOf(files)?.name ?? '';
  const over = (event: DragEvent, isNow: boolean) => {
    event.preventDefault();
    setOver(isNow);
  };
  return (
    <Panel
      title="Network file"
      unit="ONNX, Keras JSON or .keras, TensorFlow.js model.json, or a list of layers from PyTorch"
      actions={
        network !== null && (
          <button
            type="button"
            onClick={() => {
              setFiles([]);
              read.reset();
              onChange(null);
            }}
          >
            Type layers instead
          </button>
        )
      }
    >
      <div
        className={`drop${isOver ? ' over' : ''}`}
        onDragOver={(event) => {
          over(event, true);
        }}
        onDragLeave={(event) => {
          over(event, false);
        }}
        onDrop={(event) => {
          over(event, false);
          take(event.dataTransfer.files);
        }}
      >
        <strong>Drop a network file here</strong>
        <label htmlFor={id} className="button">
          Choose a file
        </label>
        <input
          id={id}
          type="file"
          multiple
          className="hidden"
          onChange={({ target }) => {
            take(target.files);
            // The user may choose the same file again after a change of the options.
            target.value = '';
          }}
        />
        <p className="hint">
          The browser reads the file and does not send it. Weights are not needed. For a TensorFlow.js
          model.json, also give its .bin files, because they contain some sizes.
        </p>
      </div>
      <div className="actions" role="group" aria-label="Example networks">
        <span className="muted">Examples:</span>
        {EXAMPLES.map((example) => (
          <button
            key={example.id}
            type="button"
            disabled={takeExample.isPending}
            onClick={() => {
              takeExample.mutate(example);
            }}
          >
            {example.name}
          </button>
        ))}
      </div>
      <details>
        <summary>If the file leaves sizes open</summary>
        <div className="fields">
          <Field label="Batch size" hint="1, unless the file sets it">
            <input
              type="number"
              min={1}
              value={batch}
              onChange={({ target }) => {
                setBatch(target.value);
              }}
            />
          </Field>
        </div>
        <InputFields inputs={inputs} onChange={setInputs} />
        <button
          type="button"
          disabled={files.length === 0 || read.isPending}
          onClick={() => {
            read.mutate(files);
          }}
        >
          Read the file again
        </button>
      </details>
      {read.isPending && <p role="status">Reading {fileName} …</p>}
      <Trouble error={takeExample.error ?? read.error} />
      {network !== null && <Found network={network} fileName={fileName} />}
    </Panel>
  );
}

function Found({ network, fileName }: { network: Network; fileName: string }) {
  const { format, name, batch, layers, notCosted } = network;
  const others = notCosted.reduce((sum, each) => sum + each.count, 0);
  return (
    <div role="status">
      <p>
        <strong>{fileName}</strong>
        {name !== null && ` (${name})`}: {FORMATS[format]}, batch of {batch}{' '}
        {batch === 1 ? 'image' : 'images'}, {count(layers.length)} {layers.length === 1 ? 'layer' : 'layers'}{' '}
        with a cost, {count(others)} without.
      </p>
      <p className={network.completeness.isComplete ? 'hint' : 'caution'}>{completenessText(network)}</p>
      {others > 0 && (
        <p className="hint">
          Not costed:{' '}
          {notCosted
            .map(
              ({ op, count: times, reason, macs }) =>
                `${count(times)} ${op}${reason === null ? '' : ` (${reason}${macs === null ? '' : `; ${scaled(macs)} MAC`})`}`,
            )
            .join(', ')}
          .
        </p>
      )}
    </div>
  );
}
