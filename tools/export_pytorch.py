#!/usr/bin/env python3
"""Writes the convolutions and dense layers of a PyTorch model, as `alphaflops predict --network` reads them.

    python3 export_pytorch.py torchvision.models:resnet50 --input 1x3x224x224 --out resnet50.json
    python3 export_pytorch.py my_models.py:Net --input 8x1x28x28 --dtype f16 --out net.json

From a program, for a model that needs more than that:

    from export_pytorch import layer_list
    json.dump(layer_list(model, images, mask), file)

The model is run once, on PyTorch's "meta" device where it can be: nothing is computed and no weights are needed. What is
listed is what PyTorch itself was asked to compute, so functional calls are in it as well as modules. PyTorch 1.13 or newer.
"""

import argparse
import contextlib
import importlib
import importlib.util
import json
import math
import sys
from collections import Counter
from pathlib import Path

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

FORMAT = "alphaflops.layers/1"
DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}
# Only another look at the same numbers, or new ones without work: their cost does not matter.
FREE = set(
    "view _unsafe_view reshape t transpose permute expand unsqueeze squeeze slice select split split_with_sizes chunk detach"
    " alias clone _to_copy to contiguous empty empty_like empty_strided zeros ones full arange zeros_like ones_like"
    " unbind as_strided lift_fresh scalar_tensor _reshape_alias".split()
)
CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable", "cudnn_convolution", "mkldnn_convolution"}
TWO_ACTIVATIONS = "product of two activations"
MANY_MATRICES = "product with many weight matrices"
RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu"}


def _tensors(values):
    """All tensors in the arguments or results of an operator."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


class _Recorder(TorchDispatchMode):
    """Sees every operator below modules and functions, with the tensors that it is given."""

    def __init__(self, place, weights):
        super().__init__()
        self.place = place
        self.layers = []
        self.counts = Counter()
        self.macs = {}
        self.is_paused = False
        # Storages that no input is part of. They are held here: the address of one that is gone could come again.
        self.weights = {}
        for tensor in weights:
            self.keep(tensor)

    def keep(self, tensor):
        storage = self.storage(tensor)
        self.weights[storage._cdata] = storage

    def is_weight(self, tensor):
        return self.storage(tensor)._cdata in self.weights

    @staticmethod
    def storage(tensor):
        return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        op = func.__name__.split(".")[0].rstrip("_") or func.__name__
        if not self.is_paused:
            self.record(op, args)
        # What is computed from weights alone is a weight, such as one that is normalized before it is used.
        given = list(_tensors([args, kwargs or {}]))
        is_weight = bool(given) and all(self.is_weight(tensor) for tensor in given)
        for tensor in _tensors(result):
            if is_weight:
                self.keep(tensor)
            else:
                self.weights.pop(self.storage(tensor)._cdata, None)
        return result

    def record(self, op, args):
        if op in CONVOLUTIONS:
            self.convolution(op, *args[:9])
        elif op == "addmm":
            self.product(op, args[1], args[2])
        elif op in ("mm", "linear"):
            self.product(op, args[0], args[1].t() if op == "linear" else args[1])
        elif op in ("bmm", "baddbmm"):
            self.product(op, *args[:2] if op == "bmm" else args[1:3])
        elif "attention" in op:
            query, key, value = args[:3]
            macs = query.numel() * key.shape[-2] + query.numel() // query.shape[-1] * key.shape[-2] * value.shape[-1]
            self.missing(op, TWO_ACTIVATIONS, macs)
        elif "rnn" in op or op in ("lstm", "gru"):
            self.missing(op, "recurrent, in a form that is not known", None)
        elif op not in FREE:
            self.counts[op, None] += 1

    def missing(self, op, reason, macs):
        """A layer that multiplies and is not costed."""
        # Layers of which the multiply-adds are known and others are listed apart.
        key = op, reason if macs is not None else f"{reason}, multiply-adds not known"
        self.counts[key] += 1
        if macs is not None:
            self.macs[key] = self.macs.get(key, 0) + macs

    def convolution(self, op, x, weight, _bias, stride, padding, dilation, transposed, output_padding, groups):
        spatial = weight.dim() - 2
        # A sequence is an image of one row.
        pair = lambda values, first: [first] * (2 - len(values)) + [int(value) for value in values]
        each = lambda values: list(values) * (spatial if len(values) == 1 else 1)
        sizes = lambda values, first: pair(each(values), first)
        if spatial > 2:
            points = x.shape[-spatial:] if transposed else [
                (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
                for size, pad, gap, kernel, step in zip(
                    x.shape[-spatial:], each(padding), each(dilation), weight.shape[2:], each(stride)
                )
            ]
            batch = x.shape[0] if x.dim() == spatial + 2 else 1
            self.missing(op, f"{spatial}-dimensional", batch * math.prod(points) * weight.numel())
            return
        pads = sizes(padding, 0)
        self.add(
            op,
            x,
            kind="conv",
            batch=x.shape[0] if x.dim() == spatial + 2 else 1,
            input=pair(x.shape[-spatial:], 1),
            cin=x.shape[-spatial - 1],
            cout=weight.shape[1] * groups if transposed else weight.shape[0],
            kernel=pair(weight.shape[2:], 1),
            strides=sizes(stride, 1),
            dilations=sizes(dilation, 1),
            groups=groups,
            pads=pads + pads,
            transposed=transposed,
            output_padding=sizes(output_padding, 0) if transposed else [0, 0],
        )

    def product(self, op, a, b):
        """A product with one matrix of weights, on either side, is a dense layer."""
        rows, depth, columns = a.shape[-2], a.shape[-1], b.shape[-1]
        stack = a.shape[0] if a.dim() == 3 else 1
        left, right = self.is_weight(a), self.is_weight(b)
        if left and right:
            return
        if not left and not right:
            self.missing(op, TWO_ACTIVATIONS, stack * rows * depth * columns)
        elif stack > 1:
            self.missing(op, MANY_MATRICES, stack * rows * depth * columns)
        elif right:
            self.add(op, b, kind="dense", rows=rows, cin=depth, cout=columns)
        else:
            self.add(op, a, kind="dense", rows=columns, cin=depth, cout=rows)

    def recurrent(self, op, x, weights, layers, bidirectional, batch_first):
        """As the ONNX operator: one product with the weights of the input, and one of each step with those of the state."""
        steps, batch = (x.shape[0], 1) if x.dim() == 2 else (x.shape[1], x.shape[0]) if batch_first else x.shape[:2]
        each = len(weights) // (layers * (2 if bidirectional else 1))
        for at in range(0, len(weights), each):
            # A projection of the state, where there is one, is a further matrix.
            of_input, of_state, *projection = [weight for weight in weights[at : at + each] if weight.dim() == 2]
            self.add(op, of_input, kind="dense", rows=steps * batch, cin=of_input.shape[1], cout=of_input.shape[0])
            for _ in range(steps):
                for weight in [of_state, *projection]:
                    self.add(op, weight, kind="dense", rows=batch, cin=weight.shape[1], cout=weight.shape[0])

    def add(self, op, x, **layer):
        self.layers.append({"name": self.place[-1], "op": op, "dtype": DTYPES.get(x.dtype, str(x.dtype)), **layer})

    def not_costed(self):
        return [
            {"op": op, "count": count, "reason": reason, "macs": self.macs.get((op, reason))}
            for (op, reason), count in self.counts.items()
        ]


class _Recurrences(TorchFunctionMode):
    """Sees recurrent layers whole: below, devices compute them in different ways."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        # Packed sequences, with a length for each, are listed by what the device computes.
        if name not in RECURRENT or isinstance(args[3], (list, tuple)):
            return func(*args, **(kwargs or {}))
        x, _state, weights, _bias, layers, _dropout, _training, bidirectional, batch_first = args
        self.recorder.recurrent(name, x, weights, layers, bidirectional, batch_first)
        self.recorder.is_paused = True
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.recorder.is_paused = False


@contextlib.contextmanager
def _places(model):
    """The path of the module that is being run, innermost last."""
    stack = [type(model).__name__]
    hooks = []
    for path, module in model.named_modules():
        name = path or stack[0]
        hooks.append(module.register_forward_pre_hook(lambda _module, _input, name=name: stack.append(name)))
        hooks.append(module.register_forward_hook(lambda _module, _input, _output: stack.pop() and None))
    try:
        yield stack
    finally:
        for hook in hooks:
            hook.remove()


def layer_list(model, *inputs, name=None):
    """The layers that one run of `model` on `inputs` computes; the first size of the first input is the batch.

    Raises TypeError for a ScriptModule, whose operators run unseen.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError(
            "This is a ScriptModule, whose operators run where they cannot be listed. Give the Python model that it was made "
            "of, or write it as ONNX with torch.onnx.export."
        )
    was_training = model.training
    model.eval()
    try:
        # no_grad and not inference_mode: there dense layers would stay whole and hide behind views.
        weights = [*model.parameters(), *model.buffers()]
        with torch.no_grad(), _places(model) as place, _Recorder(place, weights) as recorder, _Recurrences(recorder):
            model(*inputs)
    finally:
        model.train(was_training)
    first = next((value for value in inputs if isinstance(value, torch.Tensor) and value.dim() > 0), None)
    return {
        "format": FORMAT,
        "name": name or type(model).__name__,
        "batch": 1 if first is None else first.shape[0],
        "layers": recorder.layers,
        "not_costed": recorder.not_costed(),
    }


def _model(where, dtype, device):
    module_name, _, attribute = where.partition(":")
    if not attribute:
        raise SystemExit(f"{where}: name the model as module:function or file.py:Class")
    try:
        found = getattr(_module(module_name), attribute)
    except (ImportError, FileNotFoundError, AttributeError) as error:
        raise SystemExit(f"{where}: {error}") from None
    try:
        model = found if isinstance(found, torch.nn.Module) else found()
    except Exception as error:  # whatever the model's code raises
        raise SystemExit(f"{where}: it cannot be made without arguments: {type(error).__name__}: {error}") from None
    if not isinstance(model, torch.nn.Module):
        raise SystemExit(f"{where}: this is a {type(model).__name__}, not a torch.nn.Module")
    return model.to(device=device, dtype=dtype)


def _module(name):
    if name.endswith(".py"):
        path = Path(name).resolve()
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)


def _explained(error, options):
    """What went wrong when the model ran, and what to do."""
    if isinstance(error, TypeError) and "ScriptModule" in str(error):
        return f"{options.model}: {error}"
    said = f"{options.model}: {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    words = "meta item() nonzero data-dependent GuardOnDataDependent".split()
    if options.device == "meta" and (isinstance(error, NotImplementedError) or any(word in str(error) for word in words)):
        return (
            f"{said}\nThis model looks at values while it runs, or has an operator that the meta device lacks. "
            "Try --device cpu: the sizes are then those for an input of zeros."
        )
    return f"{said}\nIt failed on {', '.join(options.input)} in {options.dtype}: check the sizes, the type and the model."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="module:function or file.py:Class, called without arguments")
    parser.add_argument(
        "--input", required=True, action="append", metavar="SIZES", help="sizes of an input, 1x3x224x224; once for each"
    )
    parser.add_argument("--dtype", choices=sorted(DTYPES.values()), default="f32")
    parser.add_argument("--device", default="meta", help="cpu where the model does not run on meta (default: meta)")
    parser.add_argument("--out", required=True, metavar="FILE", help="- for standard output")
    options = parser.parse_args()
    dtype = next(key for key, value in DTYPES.items() if value == options.dtype)
    try:
        shapes = [[int(size) for size in sizes.split("x")] for sizes in options.input]
    except ValueError:
        parser.error("--input needs sizes with x between them, such as 1x3x224x224")
    model = _model(options.model, dtype, options.device)
    inputs = [torch.zeros(shape, dtype=dtype, device=options.device) for shape in shapes]
    try:
        layers = layer_list(model, *inputs, name=options.model.partition(":")[2])
    except Exception as error:  # whatever the model raises, it is for the person who gave it
        raise SystemExit(_explained(error, options)) from None
    text = json.dumps(layers, indent=1) + "\n"
    if options.out == "-":
        sys.stdout.write(text)
    else:
        Path(options.out).write_text(text)
        costed, others = len(layers["layers"]), sum(each["count"] for each in layers["not_costed"])
        print(f"{options.out}: {costed} layers, {others} operators without a cost", file=sys.stderr)


if __name__ == "__main__":
    main()
