"""The exercises of lesson 15."""

import numpy as np
from check import at, judge, say


class Device:
    """A device with a queue and a clock of its own: each step takes `work` seconds, the first one `first` more."""

    def __init__(self, work, first, waiting):
        self.work, self.more, self.now, self.empty_at = work, first, 0.0, waiting

    def launch(self):
        self.empty_at = max(self.empty_at, self.now) + self.work + self.more
        self.more = 0.0

    def synchronize(self):
        self.now = max(self.now, self.empty_at)

    def clock(self):
        return self.now


def timed(warm=True, first=True, last=True, count=True):
    """A way to time a step, with something left out."""

    def step_time(launch, synchronize, clock, repeats):
        if warm:
            launch()
        if first:
            synchronize()
        begun = clock()
        for _ in range(repeats):
            launch()
        if last:
            synchronize()
        return (clock() - begun) / (repeats if count else 1)

    return step_time


def step_time(yours):
    devices = Device(0.25, 3.0, 0.7), Device(0.02, 0.5, 0.0)
    points = [(d.launch, d.synchronize, d.clock, repeats) for d, repeats in zip(devices, (8, 25), strict=True)]
    mistakes = {
        "that is how long it takes to fill the queue: wait before you look at the clock again": timed(last=False),
        "the first step is counted, which takes longer: launch one before the clock starts": timed(warm=False),
        "the queue was not empty when the clock started: wait there as well": timed(first=False),
        "neither was the queue empty at the start, nor was the first step left out": timed(warm=False, first=False),
        "that is the time of all of them: divide by repeats": timed(count=False),
    }
    wrong = {why: at(f, points) for why, f in mistakes.items()}
    return judge(at(yours, points), np.array([d.work for d in devices]), wrong, "seconds of a step")


def along_first_axis(yours):
    samples = [np.array([0.0, 0.1, 0.2]), np.array([0.3, -1.0, 2.0, 0.7, 5.0])]
    answers = [at(yours, [(values,)]) for values in samples]  # each of a shape of its own
    if not all(isinstance(answer, np.ndarray) for answer in answers):
        return judge(answers[0], samples, {}, "array of ρ")
    answers = [answer[0] for answer in answers]
    shapes = {
        (5,): "so they would go along the last axis, that of the weights: each weight a ρ of its own",
        (5, 1): "so they would go along the seeds: there are three axes behind that of ρ",
        (5, 1, 1): "so they would go along lr: seeds and weights are two axes more, and lr is one",
        (1, 5, 1, 1): "so they would go along lr, the second axis",
    }
    if np.shape(answers[1]) in shapes:
        return say(f"not quite: {shapes[np.shape(answers[1])]}")
    for answer, values in zip(answers, samples, strict=True):
        if np.shape(answer) != (len(values), 1, 1, 1):
            return judge(answer, values.reshape(-1, 1, 1, 1), {}, "array of ρ")
    return judge(np.concatenate(answers), np.concatenate(samples).reshape(-1, 1, 1, 1), {}, "array of ρ")


def speed_up(yours):
    points = [(8.0, 90.0, 10.0), (3.0, 7.0, 20.0)]
    R, a, b = np.array(points).T
    mistakes = {
        "that is how many times as long one run takes; turn it round": (a + R * b) / (R * (a + b)),
        "one after the other, it is R times a + b": (a + b) / (a + R * b),
        "only if b were nothing: the work grows with R": R,
        "together, a is paid once, and b R times": R * (a + b) / (R * a + b),
        "that is the limit of very many networks": (a + b) / b,
    }
    return judge(at(yours, points), R * (a + b) / (a + R * b), mistakes, "speed-up")
