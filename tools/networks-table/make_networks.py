#!/usr/bin/env python3
"""Writes network files with the multiply-adds that others count in them, for table.mjs beside this file.

    python3 make_networks.py DIRECTORY [--formats layer-list,onnx,keras,tfjs] [--only PATTERN]

PyTorch: models of torchvision, as the layer list of tools/export_pytorch.py and as ONNX (TorchScript exporter); counted by
torch.utils.flop_counter. Keras: keras.applications as JSON, and as graph models of TensorFlow.js by its converter; counted from
Keras' own shapes of each layer's kernel and output. Needs torch, torchvision, onnx and keras of PyPI; for tfjs, in an environment
of its own, tensorflow-cpu 2.19, and tensorflowjs 4.22 and tf_keras 2.19 without their dependencies. No weights are downloaded:
values do not matter here.
"""

import argparse
import importlib.util
import json
import math
import os
import re
import shutil
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

if importlib.util.find_spec("torch"):
    os.environ.setdefault("KERAS_BACKEND", "torch")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SIDES = {"inception_v3": 299}
# Larger models would only take longer, because their operators are the same.
MOST_ONNX_PARAMETERS = 100e6
# Detection needs values, and video has three spatial axes. These models are also read and listed.
CLASSIFIERS = re.compile(r"^(?!.*(rcnn|ssd|retinanet|fcos|raft|quantized)).*$")


def parameter_count(model):
    return sum(each.numel() for each in model.parameters())


def on_meta(build):
    """Returns the model without its weights."""
    import torch

    try:
        with torch.device("meta"):
            return build()
    except NotImplementedError:  # its sizes are computed by tensors
        return build().to("meta")


def torchvision_networks(directory, formats, pattern, seen):
    if not {"layer-list", "onnx"} & set(formats):
        return
    import torch
    import torchvision
    from torch.utils.flop_counter import FlopCounterMode

    from export_pytorch import layer_list

    for name in torchvision.models.list_models():
        if not CLASSIFIERS.match(name) or not re.search(pattern, name) or name.startswith("quantized"):
            continue
        side = SIDES.get(name, 224)
        shape = (1, 3, 16, 112, 112) if re.match(r"(r3d|mc3|r2plus1d|s3d|mvit|swin3d)", name) else (1, 3, side, side)
        keywords = {"weights": None, **({"weights_backbone": None} if re.match("deeplab|fcn|lraspp", name) else {})}
        if name in ("googlenet", "inception_v3"):
            keywords["init_weights"] = False
        build = lambda: torchvision.models.get_model(name, **keywords).eval()
        try:
            model, x = on_meta(build), torch.zeros(shape, device="meta")
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(x)
            macs = counter.get_total_flops() // 2
            if "layer-list" in formats:
                path = directory / f"{name}.layers.json"
                path.write_text(json.dumps(layer_list(model, x, name=name)))
                seen(name, "layer-list", path, macs)
            if "onnx" in formats and parameter_count(model) < MOST_ONNX_PARAMETERS:
                path = directory / f"{name}.onnx"
                real = build()
                torch.onnx.export(real, (torch.zeros(shape),), str(path), dynamo=False, opset_version=17)
                seen(name, "onnx", path, macs)
        except Exception as error:  # a network that cannot be made is a row of the table
            seen(name, "made", None, None, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}")


def keras_networks(directory, formats, pattern, seen):
    if not {"keras", "tfjs"} & set(formats):
        return
    import keras

    builders = {
        name: value
        for name, value in vars(keras.applications).items()
        if callable(value) and name[0].isupper() and re.search(pattern, name.lower())
    }
    for name, build in builders.items():
        try:
            sides = {"input_shape": (224, 224, 3)} if name.startswith("MobileNetV3") else {}
            model = build(weights=None, **sides)
            macs = sum(keras_macs(layer) for layer in model._flatten_layers())
            if "keras" in formats:
                path = directory / f"{name}.keras.json"
                path.write_text(model.to_json())
                seen(name, "keras", path, macs)
            if "tfjs" in formats:
                seen(name, "tfjs", tensorflowjs_graph(model, directory / f"{name}.tfjs"), macs)
            keras.backend.clear_session()
        except Exception as error:
            seen(name, "made", None, None, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}")


def tensorflowjs_graph(model, directory):
    """Returns the model.json of the converted model."""
    # The converter also imports packages for other kinds of models.
    for unused in ("tensorflow_decision_forests", "tensorflow_hub", "jax", "jax.experimental", "jax.experimental.jax2tf"):
        sys.modules.setdefault(unused, MagicMock())
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

    saved = directory.with_suffix(".saved")
    model.export(saved, verbose=False)
    converter.convert_tf_saved_model(str(saved), str(directory))
    shutil.rmtree(saved)
    return directory / "model.json"


def keras_macs(layer):
    """Computes the multiply-adds from the kernel and the output of the layer."""
    kind = type(layer).__name__
    if kind not in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense"):
        return 0
    output = layer.output.shape
    if kind == "Dense":
        return math.prod(output[1:]) * layer.kernel.shape[0]
    points = math.prod(output[1:3])
    if kind in ("Conv2D", "DepthwiseConv2D"):
        return points * math.prod(layer.kernel.shape)
    return points * (math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--formats", default="layer-list,onnx,keras,tfjs")
    parser.add_argument("--only", default="", metavar="PATTERN")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with open(options.directory / "networks.jsonl", "a") as file:

        def seen(name, kind, path, macs, trouble=None):
            row = {"name": name, "format": kind, "file": path and str(path.relative_to(options.directory)), "macs": macs, "trouble": trouble}
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(time.strftime("%H:%M:%S"), name, kind, trouble or macs, file=sys.stderr)

        for make in (torchvision_networks, keras_networks):
            make(options.directory, options.formats.split(","), options.only, seen)


if __name__ == "__main__":
    main()
