"""Ordinary curve fitting of the paper's form in ms, for comparison: six coefficients and the best of several times."""
import csv, json, sys, time
import numpy as np
import scipy
from scipy.optimize import curve_fit

rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["series"] != "increasing_batch"]
column = lambda name: np.array([float(r[name]) for r in rows])
points, kernel, ms = column("H") * column("W"), column("K1") * column("K2"), column("T_ms")
macs = points * kernel * column("Cin") * column("Cout") / 1e6


def form(x, beta, gamma, c):
    s, m, reference = x
    return c * ((reference + beta * (s - reference)) / s) ** gamma * m


def fit():
    out = []
    for part, start in ((kernel == 1, (0.02, 0.99, 0.0375)), (kernel > 1, (0.001, 0.56, 0.0375))):
        x = np.stack([points[part], macs[part], 1 + np.log(kernel[part])])
        bounds = ([0, 0, 1e-12], [1, 3, np.inf])
        out.append(curve_fit(form, x, ms[part], p0=start, bounds=bounds)[0].tolist())
    return out


times = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    coefficients = fit()
    times.append(1000 * (time.perf_counter() - begin))
print(json.dumps({"coefficients": coefficients, "ms": min(times), "scipy": scipy.__version__}))
