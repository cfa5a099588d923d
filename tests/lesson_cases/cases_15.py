"""Answers to the exercises of lesson 15: (check, answer, what the check says of it; None if it is right)."""

import check_15
import numpy as np
from check_15 import timed


def each_alone(launch, synchronize, clock, repeats):
    times = []
    for _ in range(repeats + 1):
        synchronize()
        begun = clock()
        launch()
        synchronize()
        times.append(clock() - begun)
    return sum(times[1:]) / repeats


def median(launch, synchronize, clock, repeats):
    launch(), synchronize()
    times = [clock()]
    for _ in range(repeats):
        launch(), synchronize()
        times.append(clock())
    return np.median(np.diff(times))


def less_another(launch, synchronize, clock, repeats):
    """2k steps less k steps."""
    ends = []
    for steps in (1, repeats, 2 * repeats):
        for _ in range(steps):
            launch()
        synchronize()
        ends.append(clock())
    return (ends[2] - ends[1] - (ends[1] - ends[0])) / repeats


def without_clock(launch, synchronize, clock, repeats):
    for _ in range(repeats):
        launch()
    synchronize()
    return clock() / repeats


CASES = [
    (check_15.step_time, timed(), None),
    (check_15.step_time, each_alone, None),
    (check_15.step_time, median, None),
    (check_15.step_time, less_another, None),
    (check_15.step_time, timed(last=False), "how long it takes to fill the queue"),
    (check_15.step_time, timed(warm=False), "the first step is counted"),
    (check_15.step_time, timed(first=False), "the queue was not empty"),
    (check_15.step_time, timed(warm=False, first=False), "neither was the queue empty"),
    (check_15.step_time, timed(count=False), "divide by repeats"),
    (check_15.step_time, without_clock, "neither was the queue empty"),
    (check_15.step_time, timed(first=False, last=False), "fill the queue"),
    (check_15.step_time, lambda launch, synchronize, clock, repeats: 0.25, "off by up to"),
    (check_15.step_time, lambda *a: -timed()(*a), "off by up to"),
    (check_15.step_time, lambda launch, synchronize, clock, repeats: launch(), "not yet"),
    (check_15.along_first_axis, lambda values: np.reshape(values, (-1, 1, 1, 1)), None),
    (check_15.along_first_axis, lambda values: values[:, None, None, None], None),
    (check_15.along_first_axis, lambda values: np.expand_dims(values, (1, 2, 3)), None),
    (check_15.along_first_axis, lambda values: [[[[v]]] for v in values], None),
    (check_15.along_first_axis, lambda values: values, "that of the weights"),
    (check_15.along_first_axis, lambda values: values[:, None], "along the seeds"),
    (check_15.along_first_axis, lambda values: values[:, None, None], "would go along lr"),
    (check_15.along_first_axis, lambda values: values[None, :, None, None], "the second axis"),
    (check_15.along_first_axis, lambda values: np.reshape([0.0, 0.1, 0.2], (3, 1, 1, 1)), "should have shape"),
    (check_15.along_first_axis, lambda values: values[:, None, None, None, None], "should have shape"),
    (check_15.along_first_axis, lambda values: values[::-1, None, None, None], "off by up to"),
    (check_15.along_first_axis, lambda values: abs(values[:, None, None, None]), "off by up to"),
    (check_15.along_first_axis, lambda values: np.sort(values)[:, None, None, None], "off by up to"),
    (check_15.speed_up, lambda R, a, b: R * (a + b) / (a + R * b), None),
    (check_15.speed_up, lambda R, a, b: (a + b) / (a / R + b), None),
    (check_15.speed_up, lambda R, a, b: sum([a + b] * int(R)) / (a + sum([b] * int(R))), None),
    (check_15.speed_up, lambda R, a, b: (1 + a / b) / (1 + a / (R * b)), None),
    (check_15.speed_up, lambda R, a, b: (a + R * b) / (R * (a + b)), "turn it round"),
    (check_15.speed_up, lambda R, a, b: (a + b) / (a + R * b), "R times a + b"),
    (check_15.speed_up, lambda R, a, b: R, "only if b were nothing"),
    (check_15.speed_up, lambda R, a, b: R * (a + b) / (R * a + b), "a is paid once"),
    (check_15.speed_up, lambda R, a, b: (a + b) / b, "the limit"),
    (check_15.speed_up, lambda R, a, b: R * (a + b) - (a + R * b), "off by up to"),
    (check_15.speed_up, lambda R, a, b: 800 / 170, "off by up to"),
    (check_15.speed_up, lambda R, a, b: R * a / (a + R * b), "off by up to"),
]
