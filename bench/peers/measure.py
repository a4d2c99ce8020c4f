"""Helpers of the peers: options, timing, memory, one JSON line."""
import argparse
import json
import os
import statistics
import time


def options(**defaults):
    """Whole numbers and words from the command line; `threads` is set before torch is imported."""
    parser = argparse.ArgumentParser()
    for name, value in dict(threads=2, **defaults).items():
        parser.add_argument('--' + name, type=type(value), default=value)
    given = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS=str(given.threads), OPENBLAS_NUM_THREADS=str(given.threads), HF_HUB_OFFLINE='1')
    return given


def peak_gb():
    """The largest resident memory so far, in GB (1e9 bytes)."""
    with open('/proc/self/status') as status:
        line = next(line for line in status if line.startswith('VmHWM'))
    return int(line.split()[1]) * 1024 / 1e9


def time_each(times, run):
    """Milliseconds of each call after one that is not counted."""
    run()
    milliseconds = []
    begin_processor_time()
    for _ in range(times):
        start = time.perf_counter()
        run()
        milliseconds.append((time.perf_counter() - start) * 1000)
    return milliseconds


_begun = 0.0


def begin_processor_time():
    """Of all threads, from here to the report: what a loaded machine does not stretch."""
    global _begun
    _begun = time.process_time()


def report(milliseconds, tokens, **more):
    """`tokens`: of one call."""
    middle = statistics.median(milliseconds)
    print(json.dumps(dict(
        **more,
        processorMs=round((time.process_time() - _begun) * 1000 / len(milliseconds), 2),
        bestMs=round(min(milliseconds), 2),
        medianMs=round(middle, 2),
        tokensPerSecond=round(tokens * 1000 / middle, 1),
        peakGb=round(peak_gb(), 3),
    )), flush=True)
