#!/usr/bin/env python3
"""Writes network files with the multiply-adds that others count in them, for table.mjs beside this file.

    python3 make_networks.py DIRECTORY [--formats layer-list,onnx,keras] [--only PATTERN]

PyTorch: models of torchvision, as the layer list of tools/export_pytorch.py and as ONNX (TorchScript exporter); counted by
torch.utils.flop_counter. Keras: keras.applications as JSON; counted from Keras' own shapes of each layer's kernel and output.
Needs torch, torchvision, onnx and keras (KERAS_BACKEND=torch) of PyPI. No weights are downloaded: values do not matter here.
"""

import argparse
import json
import math
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SIDES = {"inception_v3": 299}
# Detection needs values, and video has three spatial axes: these are read too, and listed.
CLASSIFIERS = re.compile(r"^(?!.*(rcnn|ssd|retinanet|fcos|raft|quantized)).*$")


def torchvision_networks(directory, formats, pattern, seen):
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
            with torch.device("meta"):
                model, x = build(), torch.zeros(shape)
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(x)
            macs = counter.get_total_flops() // 2
            if "layer-list" in formats:
                path = directory / f"{name}.layers.json"
                path.write_text(json.dumps(layer_list(model, x, name=name)))
                seen(name, "layer-list", path, macs)
            if "onnx" in formats and sum(each.numel() for each in model.parameters()) < 40e6:
                path = directory / f"{name}.onnx"
                real = build()
                torch.onnx.export(real, (torch.zeros(shape),), str(path), dynamo=False, opset_version=17)
                seen(name, "onnx", path, macs)
        except Exception as error:  # a network that cannot be made is a row of the table
            seen(name, "made", None, None, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}")


def keras_networks(directory, formats, pattern, seen):
    if "keras" not in formats:
        return
    import keras

    builders = {
        name: value
        for name, value in vars(keras.applications).items()
        if callable(value) and name[0].isupper() and re.search(pattern, name.lower())
    }
    for name, build in builders.items():
        try:
            model = build(weights=None)
            path = directory / f"{name}.keras.json"
            path.write_text(model.to_json())
            seen(name, "keras", path, sum(keras_macs(layer) for layer in model._flatten_layers()))
            keras.backend.clear_session()
        except Exception as error:
            seen(name, "made", None, None, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}")


def keras_macs(layer):
    """From the kernel that the layer built and the output that it has."""
    kind = type(layer).__name__
    if kind not in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense"):
        return 0
    output = layer.output.shape
    if kind == "Dense":
        return math.prod(output[1:]) * layer.kernel.shape[0]
    points = math.prod(output[1:3])
    if kind == "Conv2D":
        return points * math.prod(layer.kernel.shape)
    if kind == "DepthwiseConv2D":
        return points * math.prod(layer.kernel.shape)
    return points * (math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--formats", default="layer-list,onnx,keras")
    parser.add_argument("--only", default="", metavar="PATTERN")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with open(options.directory / "networks.jsonl", "a") as file:

        def seen(name, kind, path, macs, trouble=None):
            row = {"name": name, "format": kind, "file": path and path.name, "macs": macs, "trouble": trouble}
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(time.strftime("%H:%M:%S"), name, kind, trouble or macs, file=sys.stderr)

        for make in (torchvision_networks, keras_networks):
            make(options.directory, options.formats.split(","), options.only, seen)


if __name__ == "__main__":
    main()
