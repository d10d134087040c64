import type { ByteSource } from './byte-source.js';
import { NetworkError } from './network.js';

/** Formats that are recognized but not supported: the name of the format, and a way to a supported one. */
interface OtherFormat {
  readonly is: (start: Uint8Array, source: ByteSource) => boolean;
  readonly name: string;
  readonly way: string;
}

const PYTORCH = 'List its layers with tools/export_pytorch.py, or export it with torch.onnx.export.';
const TENSORFLOW =
  'Convert it to a TensorFlow.js graph model with tensorflowjs_converter, or to ONNX with "python3 -m tf2onnx.convert".';
const TFLITE = 'Convert it to ONNX with "python3 -m tf2onnx.convert --tflite FILE --output net.onnx".';

function hasBytes(at: number, ...bytes: number[]): OtherFormat['is'] {
  return (start) => bytes.every((byte, index) => start[at + index] === byte);
}

function hasText(at: number, text: string): OtherFormat['is'] {
  return hasBytes(at, ...new TextEncoder().encode(text));
}

/** Whether the file starts with 8 bytes that hold the length of a JSON header, followed by the header. */
function isSafetensors(start: Uint8Array, { size }: ByteSource): boolean {
  if (start.length < 10 || start[8] !== 0x7b) return false;
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  return length >= 2 && length + 8 <= size;
}

const FORMATS: readonly OtherFormat[] = [
  { is: hasBytes(0, 0x1f, 0x8b), name: 'a gzip file', way: 'Unpack it with gunzip first.' },
  { is: hasBytes(0, 0x28, 0xb5, 0x2f, 0xfd), name: 'a Zstandard file', way: 'Unpack it with unzstd first.' },
  { is: hasText(0, 'BZh'), name: 'a bzip2 file', way: 'Unpack it with bunzip2 first.' },
  { is: hasBytes(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a), name: 'an xz file', way: 'Unpack it with unxz first.' },
  { is: hasText(257, 'ustar'), name: 'a tar archive', way: 'Unpack it with "tar -xf" first.' },
  {
    is: hasBytes(0, 0x89, 0x48, 0x44, 0x46),
    name: 'an HDF5 file, as older versions of Keras save models',
    way: 'Save it as a .keras archive with model.save, or use the result of model.to_json().',
  },
  { is: hasText(4, 'TFL3'), name: 'a TensorFlow Lite model', way: TFLITE },
  {
    is: hasText(4, 'ORTM'),
    name: 'a model in the ORT format of ONNX Runtime',
    way: 'Use the ONNX file that it was created from.',
  },
  { is: hasText(4, 'ET12'), name: 'an ExecuTorch program', way: PYTORCH },
  {
    is: hasText(0, 'GGUF'),
    name: 'a GGUF file, which has weights and no operators',
    way: 'Export the model of these weights as ONNX.',
  },
  {
    is: isSafetensors,
    name: 'a safetensors file, which has weights and no operators',
    way: `Use it together with the code of the model. ${PYTORCH}`,
  },
  {
    is: hasBytes(0, 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c),
    name: 'a PyTorch checkpoint in the old format',
    way: PYTORCH,
  },
  { is: hasBytes(0, 0x80), name: 'a Python pickle', way: PYTORCH },
  {
    is: hasText(0, '<?xml'),
    name: 'an XML file, perhaps of OpenVINO',
    way: 'Use the ONNX file, or the PyTorch or TensorFlow model, that it was created from.',
  },
  {
    is: hasText(0, '7767517'),
    name: 'a parameter file of ncnn',
    way: 'Use the ONNX file that it was created from.',
  },
];

/** @throws NetworkError `unknown-format` with the name of the format and a way to a supported one */
export function refuseOtherFormats(source: ByteSource): void {
  const start = source.read(0, Math.min(source.size, 512));
  const found = FORMATS.find(({ is }) => is(start, source));
  if (found !== undefined) throw notRead(found.name, found.way);
}

function notRead(name: string, way: string): NetworkError {
  return new NetworkError('unknown-format', `This is ${name}. alphaflops cannot read this format. ${way}`);
}

/** Recognizes an archive without a Keras model from the names of its files. */
export function refuseArchive(names: readonly string[]): NetworkError {
  const has = (end: string) => names.some((name) => name.endsWith(end));
  if (has('/constants.pkl') || names.some((name) => name.includes('/code/'))) {
    return notRead(
      'a TorchScript archive of PyTorch',
      'Use the Python model that it was created from: tools/export_pytorch.py lists its layers, or torch.onnx.export writes it as ONNX.',
    );
  }
  if (has('data.pkl')) return notRead('a PyTorch checkpoint', PYTORCH);
  if (has('.mlmodel') || has('.mlpackage')) return notRead('a Core ML package', CORE_ML);
  if (has('saved_model.pb')) return notRead('a TensorFlow SavedModel in a ZIP archive', TENSORFLOW);
  if (has('.npy')) return notRead('an NPZ file, which has weights and no operators', PYTORCH);
  const inside = names.find((name) => /\.(onnx|json|tflite|pt|pth|h5|keras)$/.test(name));
  const way = inside === undefined ? 'Use the network file itself.' : `Unpack it and use ${inside}.`;
  return notRead('a ZIP archive', way);
}

const CORE_ML = 'Use the PyTorch, TensorFlow or ONNX model that it was created from.';

/** Recognizes other Protocol Buffers files, which start like ONNX files, from the numbers of their fields. */
export function protobufFormat(fields: ReadonlySet<number>): NetworkError | null {
  // Model of Core ML: the version, a description, and one kind of network.
  if (fields.has(1) && fields.has(2) && [...fields].some((field) => field >= 200 && field < 4000)) {
    return notRead('a Core ML model', CORE_ML);
  }
  const only = (...known: number[]) => fields.size > 0 && [...fields].every((field) => known.includes(field));
  // SavedModel of TensorFlow: its version and its graphs.
  if (fields.has(1) && fields.has(2) && only(1, 2)) return notRead('a TensorFlow SavedModel', TENSORFLOW);
  // GraphDef of TensorFlow: nodes, functions, versions.
  if (fields.has(1) && only(1, 2, 3, 4)) return notRead('a frozen TensorFlow graph', TENSORFLOW);
  return null;
}
