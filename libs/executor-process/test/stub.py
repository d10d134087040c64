"""A program of the protocol alphaflops.process/1 with nothing but the standard library: outputs by direct
convolution, times by a law (2 us and 10 multiply-adds in a nanosecond), on a device that does not exist.

The first argument makes it misbehave; docs/executors.md describes what is right."""

import json
import os
import signal
import sys
import time

PERIOD = 1_048_573
STREAMS = {"input": 0x9E3779B9, "weights": 0x85EBCA6B}
MASK = 0xFFFFFFFF
behaviour = sys.argv[1] if len(sys.argv) > 1 else "good"


def seeded(name, seed, index):
    x = (index % PERIOD) ^ seed ^ STREAMS[name]
    x = ((x ^ (x >> 16)) * 0x21F0AAAD) & MASK
    x = ((x ^ (x >> 15)) * 0x735A2D97) & MASK
    x ^= x >> 15
    return ((x >> 8) + 0.5) / 2**23 - 1


def along(spec, size, kernel):
    """Output size and padding before the first element along one axis."""
    if spec["padding"] == "valid":
        return -(-(size - kernel + 1) // spec["stride"]), 0
    out = -(-size // spec["stride"])
    return out, max(0, (out - 1) * spec["stride"] + kernel - size) // 2


def sizes(spec):
    rows, top = along(spec, spec["height"], spec["kernel_h"])
    columns, left = along(spec, spec["width"], spec["kernel_w"])
    return rows, columns, top, left


def direct(spec, seed, point):
    """One output, with buffers in the orders NHWC and OHWI."""
    _, _, top, left = sizes(spec)
    inputs = spec["cin"] // spec["groups"]
    first = point["channel"] // (spec["cout"] // spec["groups"]) * inputs
    total = 0.0
    for kh in range(spec["kernel_h"]):
        row = point["row"] * spec["stride"] - top + kh
        for kw in range(spec["kernel_w"]):
            column = point["column"] * spec["stride"] - left + kw
            if not (0 <= row < spec["height"] and 0 <= column < spec["width"]):
                continue
            x = ((point["image"] * spec["height"] + row) * spec["width"] + column) * spec["cin"] + first
            w = ((point["channel"] * spec["kernel_h"] + kh) * spec["kernel_w"] + kw) * inputs
            for i in range(inputs):
                total += seeded("input", seed, x + i) * seeded("weights", seed, w + i)
    return total


def time_ms(spec):
    rows, columns, _, _ = sizes(spec)
    macs = spec["batch"] * rows * columns * spec["kernel_h"] * spec["kernel_w"]
    return 0.002 + macs * spec["cin"] // spec["groups"] * spec["cout"] / 1e7


def taken(ms):
    """Lets the time pass: a reported time longer than its request is refused."""
    time.sleep(ms / 1000)
    return ms


def hello(_):
    device = {
        "uuid": "stub-device-0",
        "sku": "Stub device",
        "kind": "cpu",
        "memoryBytes": None,
        "smCount": None,
        "libraries": {"timer": "law"},
        "mathMode": "f64",
        "details": {"real": False},
    }
    program = {"name": "stub", "version": "1.0"}
    return {"protocol": "alphaflops.process/1", "program": program, "devices": [device]}


def prepare(request):
    spec = request["spec"]
    prepared["now"] = (spec, request["seed"])
    if spec["dtype"] != "f32":
        return {"outcome": "unsupported", "reason": f"the stub has no {spec['dtype']}"}
    if spec["batch"] * spec["height"] * spec["width"] * spec["cin"] > 2**34:
        return {"outcome": "out-of-memory", "reason": "the stub holds no more than 2^34 elements"}
    return {
        "outcome": "ok",
        "bufferOrder": {"input": "NHWC", "weights": "OHWI"},
        "tolerance": 1e-6,
        "algorithm": "direct sum",
        "workspaceBytes": 0,
        "eager": True,
        "energy": True,
    }


def energy(request):
    """A meter of its own, by a law: 50 W."""
    if behaviour == "meterless":
        return {"outcome": "unknown", "reason": "the meter of the stub is unplugged"}
    one = time_ms(prepared["now"][0])
    iterations = max(1, round(request["windowMs"] / one))
    return {"outcome": "ok", "energyMillijoules": 50 * one, "windowMs": iterations * one, "iterations": iterations}


def conditions(_):
    absent = ("smClockMhz", "maxSmClockMhz", "temperatureC", "powerW", "otherProcesses", "hostLoad1")
    return {**{name: None for name in absent}, "throttleReasons": []}


def misbehave():
    """What `time` does instead, by the name of the misbehaviour."""
    if behaviour == "garbage":
        print("Warning: this is not a reply", flush=True)
    elif behaviour == "endless-line":
        while True:
            sys.stdout.write("x" * 65536)
    elif behaviour == "exit":
        print("stub: no more", file=sys.stderr, flush=True)
        os._exit(3)
    elif behaviour == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif behaviour == "hang":
        while True:
            time.sleep(1)


prepared = {}
methods = {
    "hello": hello,
    "open": lambda request: {},
    "prepare": prepare,
    "time": lambda request: {"timeMs": taken(request["inner"] * time_ms(prepared["now"][0]))},
    "eager": lambda request: {"timeMs": 0.01 + time_ms(prepared["now"][0])},
    "energy": energy,
    "output": lambda request: {"values": [direct(*prepared["now"], point) for point in request["points"]]},
    "conditions": conditions,
    "release": lambda request: {},
    "shutdown": lambda request: {},
}

if behaviour == "mute":
    time.sleep(3600)
print(f"stub {os.getpid()}: ready", file=sys.stderr, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["method"] == "time":
        misbehave()
    reply = {"id": request["id"], "ok": True, "result": methods[request["method"]](request)}
    if request["method"] == "time":
        if behaviour == "refuse":
            reply = {"id": request["id"], "ok": False, "error": "not today"}
        elif behaviour == "wrong-id":
            reply["id"] += 1
        elif behaviour == "wrong-type":
            reply["result"]["timeMs"] = "long"
    print(json.dumps(reply), flush=True)
    if request["method"] == "shutdown" and behaviour != "stay":
        break
