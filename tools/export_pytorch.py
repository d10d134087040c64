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
import sys
from collections import Counter
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode

FORMAT = "alphaflops.layers/1"
DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}
# Only another look at the same numbers, or new ones without work: nobody asks what they cost.
FREE = set(
    "view _unsafe_view reshape t transpose permute expand unsqueeze squeeze slice select split split_with_sizes chunk detach"
    " alias clone _to_copy to contiguous empty empty_like empty_strided zeros ones full arange zeros_like ones_like"
    " unbind as_strided lift_fresh scalar_tensor _reshape_alias".split()
)
CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable", "cudnn_convolution", "mkldnn_convolution"}


class _Recorder(TorchDispatchMode):
    """Sees every operator below modules and functions, with the tensors that it is given."""

    def __init__(self, place):
        super().__init__()
        self.place = place
        self.layers = []
        self.not_costed = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        op = func.__name__.split(".")[0].rstrip("_") or func.__name__
        self.record(op, args)
        return result

    def record(self, op, args):
        if op in CONVOLUTIONS:
            self.convolution(op, *args[:9])
        elif op == "addmm":
            self.dense(op, args[1], args[2])
        elif op in ("mm", "linear"):
            self.dense(op, args[0], args[1].t() if op == "linear" else args[1])
        elif op in ("bmm", "baddbmm") or "attention" in op:
            self.not_costed[op, "of two activations, or of many matrices"] += 1
        elif op not in FREE:
            self.not_costed[op, None] += 1

    def convolution(self, op, x, weight, _bias, stride, padding, dilation, transposed, output_padding, groups):
        spatial = weight.dim() - 2
        if spatial > 2:
            self.not_costed[op, f"{spatial}-dimensional"] += 1
            return
        # A sequence is an image of one row.
        pair = lambda values, first: [first] * (2 - len(values)) + [int(value) for value in values]
        sizes = lambda values, first: pair(list(values) * (spatial if len(values) == 1 else 1), first)
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

    def dense(self, op, x, weight):
        rows = x.numel() // x.shape[-1]
        self.add(op, x, kind="dense", rows=rows, cin=weight.shape[0], cout=weight.shape[1])

    def add(self, op, x, **layer):
        self.layers.append({"name": self.place[-1], "op": op, "dtype": DTYPES.get(x.dtype, str(x.dtype)), **layer})


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
    """The layers that one run of `model` on `inputs` computes; the first size of the first input is the batch."""
    was_training = model.training
    model.eval()
    try:
        # no_grad and not inference_mode: there dense layers would stay whole and hide behind views.
        with torch.no_grad(), _places(model) as place, _Recorder(place) as recorder:
            model(*inputs)
    finally:
        model.train(was_training)
    first = next((value for value in inputs if isinstance(value, torch.Tensor) and value.dim() > 0), None)
    return {
        "format": FORMAT,
        "name": name or type(model).__name__,
        "batch": 1 if first is None else first.shape[0],
        "layers": recorder.layers,
        "not_costed": [
            {"op": op, "count": count, "reason": reason} for (op, reason), count in recorder.not_costed.items()
        ],
    }


def _model(where, dtype, device):
    module_name, _, attribute = where.partition(":")
    if not attribute:
        raise SystemExit(f"{where}: name the model as module:function or file.py:Class")
    try:
        found = getattr(_module(module_name), attribute)
    except (ImportError, FileNotFoundError, AttributeError) as error:
        raise SystemExit(f"{where}: {error}") from None
    model = found if isinstance(found, torch.nn.Module) else found()
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
    except NotImplementedError as error:
        if options.device != "meta":
            raise
        raise SystemExit(f"{error}\nThis model does not run on the meta device: try --device cpu.") from None
    text = json.dumps(layers, indent=1) + "\n"
    if options.out == "-":
        sys.stdout.write(text)
    else:
        Path(options.out).write_text(text)
        costed, others = len(layers["layers"]), sum(each["count"] for each in layers["not_costed"])
        print(f"{options.out}: {costed} layers, {others} operators without a cost", file=sys.stderr)


if __name__ == "__main__":
    main()
