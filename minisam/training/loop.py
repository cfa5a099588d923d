"""The training loop: one net, or a whole grid of them at once; checkpoints."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy

from .. import threads
from ..array_backend import asarray, asnumpy, xp
from ..batch import BatchLoss
from ..checks import check_counts, check_seed, pick
from ..data import Data, batches
from ..files import check_folder
from ..models import Model
from ..optim import Optimizer
from ..types import Array, Info, State
from .run import Axes, Loss, Run, evaluate, loss_function, loss_name, prefixed, read, ready, unprefixed, write

KEEP = 0.9  # of the running statistics of batch norm, at each step


class DivergedError(ArithmeticError):
    """A loss became infinite or not a number. `run` holds the run up to the last good epoch."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def train(
    model: Model,
    data: Data | tuple[Any, Any] | Callable[..., Data],
    optimizer: Optimizer | Callable[..., Optimizer],
    epochs: int,
    batch_size: int = 64,
    seed: int | Sequence[int] = 0,
    *,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    loss: Loss = "cross_entropy",
    best: bool = False,
    dtype: str = "float32",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Run:
    """Train a model on minibatches; with several seeds or a sweep, a grid of models in one run.

        train(model, digits, lambda rho: SAM(SGD(0.1), rho), epochs=20, seed=range(10), sweep={"rho": [0, 0.05, 0.1]})

    Parameters
    ----------
    model : Model
        What to train.
    data : Data, a pair (x, y), or a function that returns a Data
        x (m, i); y (m,) classes or (m, k) targets. A Data has its validation part measured after each epoch. A function of
        swept names (and "seed") gives replicas labels of their own: `lambda noise, seed: symmetric_noise(digits, noise, seed)`;
        all else in the data must be the same for all.
    optimizer : SGD, Adam, AdamW, SAM, ..., or a function that returns one
        Anything with their protocol (see `minisam.optim`). A function takes swept names as its arguments.
    epochs, batch_size : int
        ≥ 1. Each epoch shuffles anew and leaves out the examples that do not fill a batch.
    seed : int or sequence of int
        Of the initial weights and the order of the data. A sequence trains one replica a seed, all in one run, each as
        it would be trained alone; w and history then have a replica axis, the last one.
    sweep : dict, optional
        Name → values: a replica axis each, before that of the seeds. Every combination is trained, with the same seeds.
    loss : str or function
        "cross_entropy", "mse", "generalised_cross_entropy"; or your own (logits, y) -> (...,), such as
        `lambda z, y: cross_entropy(z, y, label_smoothing=0.1)`.
    best : bool
        Early stopping: keep, for each replica, the weights of the epoch with its highest validation accuracy (lowest
        validation loss, where y are no classes), the first of equals. All epochs are run and stand in the history.
    dtype : str
        "float32" or "float64".
    progress : bool
        Show a progress bar.
    checkpoint : path, optional
        A file written after every epoch. If it is there already the run goes on from it, and ends with the same bits as
        one that was never interrupted; the same settings with more epochs go on, too. (A function of your own among the
        settings, such as a schedule, is known again by its name alone.)

    Returns
    -------
    Run
        Ctrl-C ends the training at once and returns the run up to the last whole epoch, marked `interrupted`.

    Raises
    ------
    DivergedError
        If a loss is not finite; it names the step and holds the run up to the last good epoch. In a sweep, replicas may
        diverge as long as one does not: their entries are not finite from then on, and a warning counts them.
    TypeError, ValueError
        If an argument is out of range, or the checkpoint is damaged or belongs to another training.

    Truths: tests/test_train.py, tests/test_sweep.py, tests/test_checkpoint.py.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    check_seed(seed)
    axes = _axes(sweep, seed)
    _check_taken(axes, optimizer, data)
    rule = _made_of(optimizer, axes)
    _check_kinds(model, rule)
    pick("dtype", dtype, {"float32": 0, "float64": 0})
    loss = loss_name(loss)
    losses = BatchLoss(model, loss_function(loss))
    lead = tuple(map(len, axes.values()))
    w = xp().array(xp().broadcast_to(model.init(seed, dtype), (*lead, model.size)))
    data, labels = _own_labels(data, axes)
    (x, y), *validation = [ready(model, w, loss, *part) for part in _parts(data)]
    y = y if labels is None else asarray(labels, dtype="int64")
    batch_size = min(batch_size, len(x))

    if best and not validation:
        raise ValueError("best needs data with a validation part, got a pair (x, y)")
    running = model.init_running(w)
    stand = _Stand(w, rule.init(w), running, {"w": w, **running} if best else {}, [])
    if checkpoint is not None:
        check_folder(checkpoint)
        seen = _fingerprint([x, y, *(a for part in validation for a in part)])
        settings = _settings(
            model=model.spec,
            optimizer=rule,
            batch_size=batch_size,
            seed=seed,
            sweep=sweep,
            loss=loss,
            best=best,
            dtype=dtype,
            data=seen,
        )
        if os.path.exists(checkpoint):
            stand = _resume(checkpoint, settings, epochs)

    def run(interrupted: bool = False) -> Run:
        kept = dict(stand.kept) if best else {"w": stand.w, **stand.running}
        return Run(model, kept.pop("w"), _history(stand.rows), loss, interrupted, axes, kept, stand.state)

    interrupted = False
    try:
        with _bar(range(len(stand.rows), epochs), epochs, progress) as bar, numpy.errstate(all="ignore"):
            for epoch in bar:
                w, state, running, told = stand.w, stand.state, stand.running, []
                for i in asarray(batches(len(x), batch_size, seed, epoch)):
                    batch = losses.on(*_rows(x, y, i, lead, own_labels=labels is not None), examples=i)
                    w, state, info = rule.step(w, state, batch)
                    running = {key: KEEP * a + (1 - KEEP) * info["statistics"][key] for key, a in running.items()}
                    told.append(info)
                _check_shape(stand.w, w)
                series = _series(told)
                measured = evaluate(model, w, running, loss, *validation[0]) if validation else {}
                bad = _where_not_finite(series["loss"], w, measured, epoch, may_lose_some=sweep is not None)
                if bad:
                    raise DivergedError(bad, run())
                rows = [*stand.rows, _row(stand.rows, series, told, measured)]
                kept = _best(stand.kept, {"w": w, **running}, rows) if best else {}
                stand = _Stand(w, state, running, kept, rows)
                if checkpoint is not None:
                    write(checkpoint, "checkpoint", _packed(stand), {"settings": settings})
                bar.set_postfix_str(f"loss {numpy.nanmean(stand.rows[-1]['train_loss']):.4f}")
    except KeyboardInterrupt:
        interrupted = True
    _warn_of_lost(stand.w)
    return run(interrupted)


# --- the parts of the loop -------------------------------------------------------------------------------------------

Row: TypeAlias = dict[str, Any]  # an epoch's entries in the history


@dataclass(frozen=True)
class _Stand:
    """Where a training stands after a whole epoch. It is replaced at once, so that Ctrl-C never leaves half of one."""

    w: Array
    state: State
    running: dict[str, Array]
    kept: dict[str, Array]  # w and running of each replica's best epoch, if that is asked for
    rows: list[Row]


def _rows(x: Array, y: Array, i: Array, lead: tuple[int, ...], own_labels: bool) -> tuple[Array, Array]:
    """The rows i of x and y: (b,) for all replicas, or (seeds, b), each seed's own. With labels of their own y is (..., m)."""
    if not own_labels:
        return _for_all(x[i], i, lead), _for_all(y[i], i, lead)
    return _for_all(x[i], i, lead), xp().take_along_axis(y, xp().broadcast_to(i, (*lead, i.shape[-1])), axis=-1)


def _for_all(rows: Array, i: Array, lead: tuple[int, ...]) -> Array:
    """Each seed's rows (seeds, b, ...), for every combination of the swept values: (..., seeds, b, ...)."""
    return rows if i.ndim == 1 else xp().broadcast_to(rows, lead + rows.shape[1:])


def _series(told: list[Info]) -> dict[str, numpy.ndarray]:
    """What the steps of an epoch told, each entry (steps, ...): read back from the device once an epoch."""
    return {
        key: asnumpy(xp().stack([info[key] for info in told]))
        for key in told[0]
        if key not in ("evaluations", "statistics")
    }


def _row(
    rows: list[Row], series: dict[str, numpy.ndarray], told: list[Info], measured: dict[str, numpy.ndarray]
) -> Row:
    """An epoch's means and measurements, and the gradients spent up to here."""
    spent = rows[-1]["evaluations"] if rows else 0
    return {
        "epoch": len(rows) + 1,
        "evaluations": spent + sum(info["evaluations"] for info in told),
        **{"train_loss" if key == "loss" else key: values.mean(axis=0) for key, values in series.items()},
        **{f"validation_{key}": value for key, value in measured.items()},
    }


def _where_not_finite(
    losses: numpy.ndarray, w: Array, measured: dict[str, numpy.ndarray], epoch: int, may_lose_some: bool
) -> str | None:
    """The message that names the first step and replica whose loss is not finite, if there is one that matters.

    The loss after the last step is known only where there is validation data; but weights that are not finite tell it.
    """
    after = measured.get("loss", 0) + asnumpy(xp().sum(0 * w, axis=-1))
    losses = numpy.concatenate([losses, after[None]])
    bad = numpy.argwhere(~numpy.isfinite(losses))
    if not len(bad) or (may_lose_some and numpy.isfinite(losses).all(axis=0).any()):
        return None
    step, *replica = bad[0].tolist()
    where = f", replica {', '.join(map(str, replica))}" if replica else ""
    return (
        f"the loss became {losses[tuple(bad[0])]} "
        f"at step {epoch * (len(losses) - 1) + step} (epoch {epoch + 1}{where}); "
        f"try a smaller lr or rho; .run holds the weights after epoch {epoch}"
    )


def _best(kept: dict[str, Array], now: dict[str, Array], rows: list[Row]) -> dict[str, Array]:
    """What is kept, and for the replicas whose last epoch is their best so far, what is there now."""
    key, sign = ("validation_accuracy", 1) if "validation_accuracy" in rows[0] else ("validation_loss", -1)
    scores = numpy.nan_to_num(sign * numpy.array([row[key] for row in rows]), nan=-numpy.inf)
    better = asarray((scores[-1:] > scores[:-1]).all(axis=0) if len(rows) > 1 else numpy.ones(scores.shape[1:], bool))
    return {
        key: xp().where(better.reshape(better.shape + (1,) * (a.ndim - better.ndim)), a, kept[key])
        for key, a in now.items()
    }


def _warn_of_lost(w: Array) -> None:
    """Say how many replicas of a sweep diverged."""
    lost = ~numpy.isfinite(asnumpy(xp().sum(0 * w, axis=-1)))
    if lost.any():
        warnings.warn(f"{lost.sum()} of {lost.size} replicas diverged: their weights are not finite", stacklevel=3)


def _history(rows: list[Row]) -> dict[str, numpy.ndarray]:
    return {key: numpy.array([row[key] for row in rows]) for key in (rows[0] if rows else {})}


def _bar(epochs: range, total: int, progress: bool) -> Any:
    return threads.bar(epochs, total=total, initial=epochs.start, unit="epoch", disable=not progress)


# --- checks, on the host, before the first step ----------------------------------------------------------------------


def _axes(sweep: Mapping[str, Sequence[Any]] | None, seed: int | Sequence[int]) -> Axes:
    """The replica axes by name: what is swept, then the seeds, if there are several."""
    axes: Axes = {}
    for name, values in (sweep or {}).items():
        values = [v.item() if isinstance(v, numpy.generic) else v for v in values]
        if not values or len(set(values)) < len(values) or name == "seed":
            raise ValueError(
                f"sweep must map names but 'seed' to different values, at least one, got {name!r}: {values}"
            )
        axes[name] = values
    return axes | ({} if isinstance(seed, (int, numpy.integer)) else {"seed": [int(s) for s in seed]})


def _arguments(f: Any) -> list[str]:
    """The names that a function of swept values takes; none, if it is no such function."""
    is_one = callable(f) and not hasattr(f, "step") and not isinstance(f, Data)
    return list(inspect.signature(f).parameters) if is_one else []


def _check_taken(axes: Axes, optimizer: Any, data: Any) -> None:
    """Raise a ValueError if a function takes what is not swept, or none takes what is."""
    taken = {"optimizer": _arguments(optimizer), "data": _arguments(data)}
    for argument, names in taken.items():
        for name in names:
            if name not in axes:
                there = ", ".join(axes) or "none"
                raise ValueError(f"{argument} takes {name}, which must be an axis of the sweep; there are: {there}")
    for name in axes:
        if name != "seed" and not any(name in names for names in taken.values()):
            raise ValueError(
                f"{name} must be taken by optimizer or data, functions of it, to be swept; neither takes it"
            )


def _made_of(optimizer: Any, axes: Axes) -> Optimizer:
    """The optimizer that a function makes of the swept values, each an array that meets w along its own axis."""
    if hasattr(optimizer, "step") or not callable(optimizer):
        return optimizer
    values = {}
    for name in _arguments(optimizer):
        along = [len(axes[name]) if other == name else 1 for other in axes]
        values[name] = asarray(numpy.asarray(axes[name], dtype="float64").reshape(*along, 1))
    return optimizer(**values)


def _own_labels(data: Any, axes: Axes) -> tuple[Any, numpy.ndarray | None]:
    """The data; and each replica's training labels (..., m), if a function makes them of the swept values."""
    if isinstance(data, Data) or not callable(data):
        return data, None
    names = [name for name in axes if name in _arguments(data)]
    sets = [
        data(**dict(zip(names, values, strict=True))) for values in itertools.product(*[axes[name] for name in names])
    ]
    first = sets[0]
    for other in sets:
        for part, a in vars(first).items():
            if part not in ("y_train", "flipped") and not numpy.array_equal(a, getattr(other, part)):
                raise ValueError(f"data must be the same for all replicas but for y_train, got another {part}")
    labels = numpy.stack([each.y_train for each in sets])
    if labels.dtype.kind not in "iu" or labels.ndim != 2:
        raise ValueError(
            f"data must have classes (m,) as y_train to differ between replicas, got {first.y_train.shape}"
        )
    along = [len(values) if name in names else 1 for name, values in axes.items()]
    m = labels.shape[-1]
    return first, numpy.broadcast_to(labels.reshape(*along, m), (*map(len, axes.values()), m))


def _check_kinds(model: Any, optimizer: Any) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a minisam Model such as mlp((64, 32, 10)), got {model!r}")
    if isinstance(optimizer, type) or not (hasattr(optimizer, "init") and hasattr(optimizer, "step")):
        raise TypeError(f"optimizer must be an optimizer such as SGD(lr=0.1), got {optimizer!r}")


def _parts(data: Any) -> Iterator[tuple[Any, Any, str]]:
    """The training part and the validation part, if there is one, each with what its names end in."""
    if isinstance(data, Data):
        yield data.x_train, data.y_train, "_train"
        yield data.x_validation, data.y_validation, "_validation"
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        yield *data, ""
    else:
        raise TypeError(f"data must be a minisam Data or a pair (x, y), got {type(data).__name__}")


def _check_shape(before: Array, after: Array) -> None:
    """An array among the hyperparameters that does not fit the seeds would make more replicas out of one."""
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise ValueError(
            f"optimizer must keep w as it is, {before.shape} {before.dtype}, and made it {after.shape} {after.dtype}; "
            "an array among its settings needs shape (..., 1), one entry a seed"
        )


# --- files -----------------------------------------------------------------------------------------------------------


def _settings(**settings: Any) -> dict[str, str]:
    """What must be the same for a training to go on from a checkpoint."""
    return {name: json.dumps(_plain(value), default=str) for name, value in settings.items()}


def _plain(value: Any) -> Any:
    """A setting as plain data that is the same in every process, with no addresses and nothing abbreviated."""
    if hasattr(value, "dtype"):
        return asnumpy(value).tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return (
        {type(value).__qualname__: _plain({k: v for k, v in vars(value).items() if k != "met"})}
        if hasattr(value, "__dict__")
        else value
    )


def _fingerprint(arrays: list[Array]) -> str:
    """A short text that other data would not have."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(asnumpy(a).tobytes())
    return digest.hexdigest()[:16]


def _packed(stand: _Stand) -> dict[str, Array]:
    parts = {"state": stand.state, "running": stand.running, "kept": stand.kept, "history": _history(stand.rows)}
    return {"w": stand.w} | {key: a for name, part in parts.items() for key, a in prefixed(name, part).items()}


def _resume(path: str | os.PathLike[str], settings: dict[str, str], epochs: int) -> _Stand:
    """Where the training that wrote this checkpoint stood, if it is the one asked for."""
    arrays, meta = read(path, "checkpoint")
    there = meta["settings"]
    other = [
        f"{name} was {_short(there.get(name))}, is {_short(here)}"
        for name, here in settings.items()
        if there.get(name) != here
    ]
    if other:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training: "
            f"delete it, or name another file ({'; '.join(other)})"
        )
    history = unprefixed("history", arrays)
    done = len(history["epoch"])
    if done > epochs:
        raise ValueError(f"epochs must be ≥ {done}, which checkpoint {os.fspath(path)} has done already, got {epochs}")
    state = {key: a.item() if a.ndim == 0 else asarray(a) for key, a in unprefixed("state", arrays).items()}
    rows = [{key: a[i] for key, a in history.items()} for i in range(done)]
    running, kept = ({key: asarray(a) for key, a in unprefixed(name, arrays).items()} for name in ("running", "kept"))
    return _Stand(asarray(arrays["w"]), state, running, kept, rows)


def _short(text: Any) -> str:
    return str(text) if len(str(text)) <= 200 else f"{str(text)[:200]}…"
