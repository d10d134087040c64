import { useMutation } from '@tanstack/react-query';
import { type DragEvent, useId, useState } from 'react';
import { count } from '../format.js';
import { Field, Panel, Trouble } from '../ui.js';
import { type Network, readNetworkFile } from './read-network.js';

const FORMATS: Readonly<Record<Network['format'], string>> = {
  onnx: 'ONNX',
  keras: 'Keras',
  'tfjs-layers': 'TensorFlow.js layers model',
  'tfjs-graph': 'TensorFlow.js graph model',
  'layer-list': 'list of layers',
};

/** A place to drop or choose a network file, and what was found in it. */
export function NetworkSource(props: {
  network: Network | null;
  onChange: (network: Network | null) => void;
}) {
  const { network, onChange } = props;
  const [file, setFile] = useState<File | null>(null);
  const [batch, setBatch] = useState('');
  const [sizes, setSizes] = useState('');
  const [isOver, setOver] = useState(false);
  const id = useId();
  const read = useMutation({
    mutationFn: async (given: File) =>
      readNetworkFile(given, {
        ...(batch !== '' && { batch: Number(batch) }),
        ...(sizes !== '' && { inputShape: sizes.split(/[x×,\s]+/).map(Number) }),
      }),
    onSuccess: onChange,
  });
  const take = (files: FileList | null) => {
    const [given] = files ?? [];
    if (given === undefined) return;
    setFile(given);
    read.mutate(given);
  };
  const over = (event: DragEvent, isNow: boolean) => {
    event.preventDefault();
    setOver(isNow);
  };
  return (
    <Panel
      title="Network file"
      unit="ONNX, Keras JSON, TensorFlow.js model.json, or a list of layers from PyTorch"
      actions={
        network !== null && (
          <button
            type="button"
            onClick={() => {
              setFile(null);
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
          className="hidden"
          onChange={({ target }) => {
            take(target.files);
            // The same file may be chosen again, after the options have changed.
            target.value = '';
          }}
        />
        <p className="hint">It is read in this browser and not sent anywhere; weights are not needed.</p>
      </div>
      <details>
        <summary>If the file leaves sizes open</summary>
        <div className="fields">
          <Field label="Images at a time" hint="1, unless the file says otherwise">
            <input
              type="number"
              min={1}
              value={batch}
              onChange={({ target }) => {
                setBatch(target.value);
              }}
            />
          </Field>
          <Field label="All sizes of the input" hint="as the file has them, for example 1x3x224x224">
            <input
              placeholder="as in the file"
              value={sizes}
              onChange={({ target }) => {
                setSizes(target.value);
              }}
            />
          </Field>
        </div>
        <button
          type="button"
          disabled={file === null || read.isPending}
          onClick={() => {
            if (file !== null) read.mutate(file);
          }}
        >
          Read it again with these
        </button>
      </details>
      {read.isPending && <p role="status">Reading {file?.name} …</p>}
      <Trouble error={read.error} />
      {network !== null && <Found network={network} fileName={file?.name ?? ''} />}
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
        {name !== null && ` (${name})`}: {FORMATS[format]}, {batch} {batch === 1 ? 'image' : 'images'} at a
        time, {count(layers.length)} layers with a cost, {count(others)} without.
      </p>
      {others > 0 && (
        <p className="hint">
          Not costed:{' '}
          {notCosted
            .map(
              ({ op, count: times, reason }) =>
                `${count(times)} ${op}${reason === null ? '' : ` (${reason})`}`,
            )
            .join(', ')}
          .
        </p>
      )}
    </div>
  );
}
