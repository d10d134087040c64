#!/usr/bin/env python3
"""Measures convolutions with PyTorch for alphaflops, over the protocol of docs/executors.md (alphaflops.process/1).

    alphaflops worker join URL --executor process --process-command "python3 alphaflops_pytorch.py"

CUDA and ROCm devices are timed by graph replay and events, which leaves the cost of launching out; the processor by
the clock of the host. Needs PyTorch 2.1 or newer, and nvidia-ml-py for the conditions of NVIDIA devices.
"""

import argparse
import functools
import hashlib
import json
import os
import platform
import re
import socket
import sys
import time

# Libraries may print anything. Only replies go to the real standard output.
REPLIES = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

PROTOCOL = "alphaflops.process/1"
VERSION = "1.0"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Relative to the root of the sum of squares of the products. The inputs are rounded to the dtype; those of the
# reference are not.
TOLERANCES = {"f32": 1e-3, "tf32": 1e-2, "f16": 2e-2, "bf16": 5e-2}
MAX_GRAPH_LAUNCHES = 256
EAGER_MS = 1.0


class Refused(Exception):
    """An error whose message is sent to the other side unchanged."""


# --- inputs: the same numbers in every program ---------------------------------------------------------------------

PERIOD = 1_048_573
STREAMS = {"input": 0x9E3779B9, "weights": 0x85EBCA6B, "gradient": 0xC2B2AE35}


@functools.lru_cache(maxsize=4)
def one_period(name, seed):
    """Elements 0 ... PERIOD - 1 of an input. 64-bit products wrap around, but their lower 32 bits are correct."""
    mask = 0xFFFFFFFF
    x = torch.arange(PERIOD, dtype=torch.int64) ^ ((seed ^ STREAMS[name]) & mask)
    x = ((x ^ (x >> 16)) * 0x21F0AAAD) & mask
    x = ((x ^ (x >> 15)) * 0x735A2D97) & mask
    x = x ^ (x >> 15)
    return (((x >> 8).to(torch.float64) + 0.5) / 2**23 - 1).to(torch.float32)


def seeded(name, seed, shape, dtype, device):
    period = one_period(name, seed).to(device=device, dtype=dtype)
    flat = torch.empty(functools.reduce(lambda a, b: a * b, shape), dtype=dtype, device=device)
    for start in range(0, flat.numel(), PERIOD):
        part = flat[start : start + PERIOD]
        part.copy_(period[: part.numel()])
    return flat.view(shape)


# --- one convolution -----------------------------------------------------------------------------------------------


def along(spec, axis):
    """Output size, and zeros before and after, along an axis "h" or "w".

    Of an odd number of zeros of padding "same" the larger half comes last, as in TensorFlow."""
    size, before, after = ("height", "pad_top", "pad_bottom") if axis == "h" else ("width", "pad_left", "pad_right")
    size, stride = spec[size], spec.get(f"stride_{axis}", spec["stride"])
    extent = spec.get(f"dilation_{axis}", 1) * (spec[f"kernel_{axis}"] - 1) + 1
    if spec["padding"] == "same":
        out = -(-size // stride)
        total = max(0, (out - 1) * stride + extent - size)
        return out, total // 2, total - total // 2
    zeros = (spec.get(before, 0), spec.get(after, 0)) if spec["padding"] == "explicit" else (0, 0)
    return -(-(size + sum(zeros) - extent + 1) // stride), *zeros


class Conv:
    """One pass of a convolution: `run` computes it."""

    def __init__(self, spec, seed, device):
        self.name = spec.get("pass", "forward")
        out_h, top, bottom = along(spec, "h")
        out_w, left, right = along(spec, "w")
        # PyTorch pads symmetrically. What is more on one side is padded before each forward run and timed with it, as
        # PyTorch's own padding="same" does, and cut off again from each gradient of the input. The gradient of the
        # weights is computed from the padded input, which training has from the forward pass.
        both = (min(top, bottom), min(left, right))
        self.more = (left - both[1], right - both[1], top - both[0], bottom - both[0])
        n, c, h, w = spec["batch"], spec["cin"], spec["height"], spec["width"]
        o, i, kh, kw = spec["cout"], spec["cin"] // spec["groups"], spec["kernel_h"], spec["kernel_w"]
        nhwc = spec["layout"] == "NHWC"
        self.order = {"input": "NHWC", "weights": "OHWI"} if nhwc else {"input": "NCHW", "weights": "OIHW"}

        def tensor(name, first, channels, rows, columns):
            """The axes are first, channels, rows, columns, independent of the order in memory."""
            shape = (first, rows, columns, channels) if nhwc else (first, channels, rows, columns)
            filled = seeded(name, seed, shape, DTYPES[spec["dtype"]], device)
            return filled.permute(0, 3, 1, 2) if nhwc else filled

        self.x = tensor("input", n, c, h, w)
        self.w = tensor("weights", o, i, kh, kw)
        strides = [spec.get("stride_h", spec["stride"]), spec.get("stride_w", spec["stride"])]
        dilations = [spec.get("dilation_h", 1), spec.get("dilation_w", 1)]
        self.geometry = (strides, list(both), dilations)
        self.groups = spec["groups"]
        if self.name != "forward":
            self.dy = tensor("gradient", n, o, out_h, out_w)
            # The gradient of the input needs only the sizes and the memory order of the input.
            self.x = F.pad(self.x, self.more) if any(self.more) else self.x
        self.run = {
            "forward": self.forward,
            "backward-data": self.backward_data,
            "backward-weights": self.backward_weights,
        }[self.name]

    @property
    def algorithm(self):
        operation = "torch conv2d" if self.name == "forward" else f"torch convolution_backward, {self.name}"
        uneven = {"forward": " after pad", "backward-data": " before cut", "backward-weights": ""}
        return operation + (uneven[self.name] if any(self.more) else "")

    def forward(self):
        x = F.pad(self.x, self.more) if any(self.more) else self.x
        strides, padding, dilations = self.geometry
        return F.conv2d(x, self.w, None, strides, padding, dilations, self.groups)

    def backward_data(self):
        dx = self.backward([True, False, False])[0]
        # Copied, like the gradient of pad in PyTorch.
        return F.pad(dx, [-side for side in self.more]) if any(self.more) else dx

    def backward_weights(self):
        return self.backward([False, True, False])[1]

    def backward(self, which):
        strides, padding, dilations = self.geometry
        return torch.ops.aten.convolution_backward(
            self.dy, self.x, self.w, None, strides, padding, dilations, False, [0, 0], self.groups, which
        )

    def output(self, points):
        """Elements of the result. For the gradient of the weights, "image" is the filter."""
        y = self.run()
        index = [[p[axis] for p in points] for axis in ("image", "channel", "row", "column")]
        return y[tuple(torch.tensor(i, device=y.device) for i in index)].to(torch.float64).tolist()


class HostTimed:
    """Timing with the clock of the host, which includes all threads that wait for each other."""

    name = "perf_counter"

    def __init__(self, conv):
        self.conv = conv

    def time_ms(self, inner):
        start = time.perf_counter()
        for _ in range(inner):
            self.conv.run()
        return (time.perf_counter() - start) * 1e3


class GraphTimed:
    """Timing with events around replays of a graph of launches: device time."""

    name = "graph replay, events"

    def __init__(self, conv):
        self.conv = conv
        self.graph, self.launches = None, 0
        self.last_ms = 1.0
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                conv.run()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()

    def time_ms(self, inner):
        replays = -(-inner // MAX_GRAPH_LAUNCHES)
        launches = -(-inner // replays)
        if self.graph is None or launches != self.launches:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                for _ in range(launches):
                    self.conv.run()
            self.launches = launches
            self.graph.replay()
        ms = between_events(lambda: [self.graph.replay() for _ in range(replays)])
        self.last_ms = ms / (replays * launches)
        return self.last_ms * inner

    def eager_ms(self):
        count = max(1, min(50, int(EAGER_MS / self.last_ms)))
        return between_events(lambda: [self.conv.run() for _ in range(count)]) / count


def between_events(launch):
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    launch()
    stop.record()
    stop.synchronize()
    return start.elapsed_time(stop)


# --- devices -------------------------------------------------------------------------------------------------------


def nvml():
    try:
        import pynvml

        pynvml.nvmlInit()
        return pynvml
    except Exception:
        return None


def text_of(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


class Processor:
    timed = HostTimed

    def __init__(self):
        model = re.search(r"^model name\s*:\s*(.+)$", text_of("/proc/cpuinfo"), re.M)
        self.sku = " ".join((model.group(1) if model else platform.processor() or platform.machine()).split())
        machine = text_of("/etc/machine-id").strip() or socket.gethostname()
        # The UUID of the processor, the same as in the executors of alphaflops.
        self.uuid = "cpu-" + hashlib.sha256(f"{machine}\n{self.sku}".encode()).hexdigest()[:32]
        self.device = torch.device("cpu")

    def describe(self):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        libraries = {"torch": torch.__version__, "threads": str(torch.get_num_threads()), "timer": HostTimed.name}
        return {"kind": "cpu", "memoryBytes": memory, "smCount": None, "mathMode": "f32", "libraries": libraries}

    def use(self):
        pass

    def free_bytes(self):
        available = re.search(r"^MemAvailable:\s*(\d+) kB$", text_of("/proc/meminfo"), re.M)
        return int(available.group(1)) * 1024 if available else sys.maxsize

    def conditions(self):
        return {}

    def empty_cache(self):
        pass


class Gpu:
    timed = GraphTimed

    def __init__(self, index, arguments):
        self.device = torch.device("cuda", index)
        self.tf32 = arguments.tf32
        self.properties = torch.cuda.get_device_properties(index)
        self.sku = self.properties.name
        uuid = getattr(self.properties, "uuid", None)
        self.uuid = f"GPU-{uuid}" if uuid is not None else f"cuda-{socket.gethostname()}-{index}"
        self.nvml = None if torch.version.hip else nvml()
        self.handle = None
        if self.nvml:
            try:
                self.handle = self.nvml.nvmlDeviceGetHandleByUUID(self.uuid.encode())
            except self.nvml.NVMLError:
                pass

    def describe(self):
        runtime = {"hip": torch.version.hip} if torch.version.hip else {"cuda": torch.version.cuda}
        dnn = torch.backends.cudnn.version()
        libraries = {
            "torch": torch.__version__,
            **runtime,
            **({"miopen" if torch.version.hip else "cudnn": str(dnn)} if dnn else {}),
            "algorithms": "benchmark" if torch.backends.cudnn.benchmark else "heuristic",
            "timer": GraphTimed.name,
        }
        return {
            "kind": "gpu",
            "memoryBytes": self.properties.total_memory,
            "smCount": self.properties.multi_processor_count,
            "mathMode": "tf32" if self.tf32 else "f32",
            "libraries": libraries,
        }

    def use(self):
        torch.cuda.set_device(self.device)

    def free_bytes(self):
        return torch.cuda.mem_get_info(self.device)[0] + torch.cuda.memory_reserved(self.device)

    def empty_cache(self):
        torch.cuda.empty_cache()

    def conditions(self):
        if self.handle is None:
            return {}
        n, h = self.nvml, self.handle

        def read(name, *arguments):
            try:
                return getattr(n, name)(h, *arguments)
            except n.NVMLError:
                return None

        reasons = read("nvmlDeviceGetCurrentClocksThrottleReasons") or 0
        power = read("nvmlDeviceGetPowerUsage")
        processes = read("nvmlDeviceGetComputeRunningProcesses")
        return {
            "smClockMhz": read("nvmlDeviceGetClockInfo", n.NVML_CLOCK_SM),
            "maxSmClockMhz": read("nvmlDeviceGetMaxClockInfo", n.NVML_CLOCK_SM),
            "temperatureC": read("nvmlDeviceGetTemperature", n.NVML_TEMPERATURE_GPU),
            "powerW": None if power is None else power / 1000,
            "throttleReasons": [name for bit, name in THROTTLE_REASONS if reasons & bit],
            # One of the processes is this program.
            "otherProcesses": None if processes is None else max(0, len(processes) - 1),
        }


THROTTLE_REASONS = (
    (0x1, "gpu-idle"),
    (0x2, "applications-clocks-setting"),
    (0x4, "sw-power-cap"),
    (0x8, "hw-slowdown"),
    (0x10, "sync-boost"),
    (0x20, "sw-thermal-slowdown"),
    (0x40, "hw-thermal-slowdown"),
    (0x80, "hw-power-brake-slowdown"),
    (0x100, "display-clock-setting"),
)


def find_devices(arguments):
    if arguments.device != "cpu" and torch.cuda.is_available():
        return [Gpu(index, arguments) for index in range(torch.cuda.device_count())]
    if arguments.device == "cuda":
        raise Refused(f"torch {torch.__version__} finds no CUDA or ROCm device")
    return [Processor()]


# --- the protocol --------------------------------------------------------------------------------------------------


class Program:
    def __init__(self, arguments):
        self.arguments = arguments
        self.devices = None
        self.device = None
        self.release({})

    def hello(self, request):
        if request["protocol"] != PROTOCOL:
            raise Refused(f"this program speaks {PROTOCOL}")
        self.devices = find_devices(self.arguments)
        return {
            "protocol": PROTOCOL,
            "program": {"name": "alphaflops-pytorch", "version": VERSION},
            "optionalFields": True,
            "devices": [
                {"uuid": d.uuid, "sku": d.sku, "details": {"python": platform.python_version()}, **d.describe()}
                for d in self.devices
            ],
        }

    def open(self, request):
        self.device = next(d for d in self.devices if d.uuid == request["device"])
        self.device.use()
        return {}

    def prepare(self, request):
        spec = request["spec"]
        if request["mode"] != "hot":
            return {"outcome": "unsupported", "reason": "this program does not measure with cold caches"}
        needed, free = needed_bytes(spec), self.device.free_bytes()
        if needed > free:
            reason = f"{needed >> 20} MiB are needed, {free >> 20} MiB are free"
            return {"outcome": "out-of-memory", "reason": reason}
        try:
            self.conv = Conv(spec, request["seed"], self.device.device)
            self.conv.run()
            self.timed = self.device.timed(self.conv)
        except RuntimeError as error:
            self.release({})
            first_line = str(error).strip().split("\n")[0][:1500] or type(error).__name__
            if isinstance(error, torch.cuda.OutOfMemoryError) or "allocate memory" in first_line:
                return {"outcome": "out-of-memory", "reason": first_line}
            if "not implemented" in first_line or "not supported" in first_line.lower():
                return {"outcome": "unsupported", "reason": first_line}
            raise
        tf32 = spec["dtype"] == "f32" and self.device.describe()["mathMode"] == "tf32"
        return {
            "outcome": "ok",
            "bufferOrder": self.conv.order,
            "tolerance": TOLERANCES["tf32" if tf32 else spec["dtype"]],
            "algorithm": self.conv.algorithm,
            "workspaceBytes": None,
            "eager": hasattr(self.timed, "eager_ms"),
        }

    def time(self, request):
        return {"timeMs": self.timed.time_ms(request["inner"])}

    def eager(self, _):
        return {"timeMs": self.timed.eager_ms()}

    def output(self, request):
        return {"values": self.conv.output(request["points"])}

    def conditions(self, _):
        absent = ("smClockMhz", "maxSmClockMhz", "temperatureC", "powerW", "otherProcesses")
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        known = self.device.conditions()
        return {**{name: None for name in absent}, "throttleReasons": [], "hostLoad1": load, **known}

    def release(self, _):
        self.conv = self.timed = None
        if self.device is not None:
            self.device.empty_cache()
        return {}

    def shutdown(self, _):
        return self.release({})


def needed_bytes(spec):
    """Bytes of the three tensors of a convolution, and of the gradient that a backward pass adds to them."""
    size = 4 if spec["dtype"] == "f32" else 2
    inputs = spec["batch"] * spec["height"] * spec["width"] * spec["cin"]
    weights = spec["kernel_h"] * spec["kernel_w"] * spec["cin"] // spec["groups"] * spec["cout"]
    outputs = spec["batch"] * along(spec, "h")[0] * along(spec, "w")[0] * spec["cout"]
    gradient = {"backward-data": inputs, "backward-weights": weights}.get(spec.get("pass"), 0)
    return size * (inputs + weights + outputs + gradient)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto", help="cuda is ROCm too")
    parser.add_argument("--tf32", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--benchmark", action="store_true", help="let cuDNN or MIOpen time its algorithms")
    parser.add_argument("--threads", type=int, default=1, help="threads on the processor")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.allow_tf32 = arguments.tf32
    torch.backends.cudnn.benchmark = arguments.benchmark

    program = Program(arguments)
    methods = ("hello", "open", "prepare", "time", "eager", "output", "conditions", "release", "shutdown")
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            reply = {"id": request["id"], "ok": True}
            try:
                if request["method"] not in methods:
                    raise Refused(f"there is no method {request['method']}")
                reply["result"] = getattr(program, request["method"])(request)
            except Refused as refused:
                reply = {"id": request["id"], "ok": False, "error": str(refused)}
            # Any other error ends the program with its traceback, which becomes part of the reason of the spec.
            print(json.dumps(reply), file=REPLIES, flush=True)
            if request["method"] == "shutdown":
                break


if __name__ == "__main__":
    main()
