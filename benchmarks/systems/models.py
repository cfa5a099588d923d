"""Whole models: minisam's nets written in PyTorch and JAX as one writes them there."""

import os

import numpy as np
from jobs import LR, MOMENTUM, RHO

from minisam.models.resnet import plan


def pytorch():
    """PyTorch eager, with SAM from pytorch-optimizer."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

    def layer_norm(p, name, x):
        return F.layer_norm(x, x.shape[-1:], p[f"{name}.gain"], p[f"{name}.bias"], 1e-5)

    def affine(p, name, x):
        return x @ p[f"{name}.W"] + p[f"{name}.b"]

    def block(p, name, x, heads, causal):
        m, t, d = x.shape
        h = layer_norm(p, f"{name}.norm1", x)
        q, k, v = (
            affine(p, f"{name}.{part}", h).view(m, t, heads, -1).transpose(1, 2) for part in ("query", "key", "value")
        )
        h = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(m, t, d)
        x = x + affine(p, f"{name}.project", h)
        h = F.gelu(affine(p, f"{name}.expand", layer_norm(p, f"{name}.norm2", x)), approximate="tanh")
        return x + affine(p, f"{name}.contract", h)

    def cnn(p, x, spec):
        x = x.view(-1, *spec["shape"])
        one_axis = len(spec["shape"]) == 2
        for k in range(len(spec["channels"])):
            convolve = F.conv1d if one_axis else F.conv2d
            x = convolve(x, p[f"conv{k}.W"], p[f"conv{k}.b"], spec["stride"], spec["kernel"] // 2)
            x = F.relu(x)
            if spec["pool"] > 1:
                x = (F.max_pool1d if one_axis else F.max_pool2d)(x, spec["pool"])
        return affine(p, "head", x.flatten(1))

    def resnet(p, x, spec):
        def convolve(name, x, stride=1):
            return F.conv2d(x, p[f"{name}.W"], p[f"{name}.b"], stride, p[f"{name}.W"].shape[-1] // 2)

        def active(name, x):  # of this batch; no running statistics
            return F.relu(F.batch_norm(x, None, None, p[f"{name}.gain"], p[f"{name}.bias"], training=True))

        x = convolve("stem", x.view(-1, *spec["shape"]))
        for name, _, _, stride in plan(spec["channels"], spec["blocks"]):
            h = convolve(f"{name}.conv1", active(f"{name}.norm1", x), stride)
            h = convolve(f"{name}.conv2", active(f"{name}.norm2", h))
            x = h + (convolve(f"{name}.skip", x, stride) if f"{name}.skip.W" in p else x)
        return affine(p, "head", active("norm", x).mean((2, 3)))

    def vit(p, x, spec):
        c, h, w = spec["shape"]
        s = spec["patch"]
        x = x.view(-1, c, h // s, s, w // s, s).permute(0, 2, 4, 1, 3, 5).reshape(len(x), -1, c * s * s)
        x = affine(p, "patches", x)
        x = torch.cat([p["class_token"].expand(len(x), 1, -1), x], 1) + p["positions"]
        for k in range(spec["depth"]):
            x = block(p, f"block{k}", x, spec["heads"], False)
        return affine(p, "head", layer_norm(p, "norm", x[:, 0]))

    def gpt(p, x, spec):
        x = F.embedding(x, p["tokens"]) + p["positions"]
        for k in range(spec["depth"]):
            x = block(p, f"block{k}", x, spec["heads"], True)
        return (layer_norm(p, "norm", x) @ p["tokens"].T).flatten(0, 1)

    class PyTorch:
        def __init__(self, job):
            self.job, self.x, self.y = job, torch.from_numpy(job.x), torch.from_numpy(job.y).flatten()
            self.forward = {"cnn": cnn, "resnet": resnet, "vit": vit, "gpt": gpt}[job.model.spec["model"]]

        def reset(self):
            self.p = {name: torch.nn.Parameter(torch.tensor(a)) for name, a in self.job.parameters.items()}
            if self.job.rule == "sam":
                from pytorch_optimizer import SAM

                self.optimizer = SAM(self.p.values(), torch.optim.SGD, rho=RHO, lr=LR, momentum=MOMENTUM)
            else:
                self.optimizer = torch.optim.SGD(self.p.values(), lr=LR, momentum=MOMENTUM)

        def backward(self):
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.forward(self.p, self.x, self.job.model.spec), self.y)
            loss.backward()
            return loss

        def run(self, steps):
            for _ in range(steps):
                loss = self.backward()
                self.optimizer.step(*([self.backward] if self.job.rule == "sam" else []))
            return loss.item()

    return PyTorch


def jax():
    """JAX: the whole step in one `jit`, buffers donated."""
    import jax
    import jax.numpy as jnp
    import optax

    def layer_norm(p, name, x):
        gap = x - x.mean(-1, keepdims=True)
        return gap * jax.lax.rsqrt((gap * gap).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.gain"] + p[f"{name}.bias"]

    def affine(p, name, x):
        return x @ p[f"{name}.W"] + p[f"{name}.b"]

    def block(p, name, x, heads, causal):
        m, t, d = x.shape
        h = layer_norm(p, f"{name}.norm1", x)
        q, k, v = (affine(p, f"{name}.{part}", h).reshape(m, t, heads, -1) for part in ("query", "key", "value"))
        h = jax.nn.dot_product_attention(q, k, v, is_causal=causal).reshape(m, t, d)
        x = x + affine(p, f"{name}.project", h)
        h = jax.nn.gelu(affine(p, f"{name}.expand", layer_norm(p, f"{name}.norm2", x)), approximate=True)
        return x + affine(p, f"{name}.contract", h)

    def cnn(p, x, spec):
        x = x.reshape(-1, *spec["shape"])
        n = len(spec["shape"]) - 1
        for k in range(len(spec["channels"])):
            half = spec["kernel"] // 2
            x = jax.lax.conv_general_dilated(x, p[f"conv{k}.W"], [spec["stride"]] * n, [(half, half)] * n)
            x = jax.nn.relu(x + p[f"conv{k}.b"].reshape(1, -1, *[1] * n))
            if spec["pool"] > 1:
                window = (1, 1, *[spec["pool"]] * n)
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        return affine(p, "head", x.reshape(len(x), -1))

    def resnet(p, x, spec):
        def convolve(name, x, stride=1):
            W, b = p[f"{name}.W"], p[f"{name}.b"]
            half = W.shape[-1] // 2
            return jax.lax.conv_general_dilated(x, W, [stride] * 2, [(half, half)] * 2) + b[:, None, None]

        def active(name, x):  # of this batch; no running statistics
            gap = x - x.mean((0, 2, 3), keepdims=True)
            unit = gap * jax.lax.rsqrt((gap * gap).mean((0, 2, 3), keepdims=True) + 1e-5)
            return jax.nn.relu(unit * p[f"{name}.gain"][:, None, None] + p[f"{name}.bias"][:, None, None])

        x = convolve("stem", x.reshape(-1, *spec["shape"]))
        for name, _, _, stride in plan(spec["channels"], spec["blocks"]):
            h = convolve(f"{name}.conv1", active(f"{name}.norm1", x), stride)
            h = convolve(f"{name}.conv2", active(f"{name}.norm2", h))
            x = h + (convolve(f"{name}.skip", x, stride) if f"{name}.skip.W" in p else x)
        return affine(p, "head", active("norm", x).mean((2, 3)))

    def vit(p, x, spec):
        c, h, w = spec["shape"]
        s = spec["patch"]
        x = x.reshape(-1, c, h // s, s, w // s, s).transpose(0, 2, 4, 1, 3, 5).reshape(len(x), -1, c * s * s)
        x = affine(p, "patches", x)
        token = jnp.broadcast_to(p["class_token"], (len(x), 1, x.shape[-1]))
        x = jnp.concatenate([token, x], 1) + p["positions"]
        for k in range(spec["depth"]):
            x = block(p, f"block{k}", x, spec["heads"], False)
        return affine(p, "head", layer_norm(p, "norm", x[:, 0]))

    def gpt(p, x, spec):
        x = p["tokens"][x] + p["positions"]
        for k in range(spec["depth"]):
            x = block(p, f"block{k}", x, spec["heads"], True)
        return (layer_norm(p, "norm", x) @ p["tokens"].T).reshape(-1, spec["vocabulary"])

    class Jax:
        def __init__(self, job):
            self.x, self.y = jnp.asarray(job.x), jnp.asarray(job.y).reshape(-1)
            spec, base = job.model.spec, optax.sgd(LR, momentum=MOMENTUM)
            forward = {"cnn": cnn, "resnet": resnet, "vit": vit, "gpt": gpt}[spec["model"]]

            def loss(p, x, y):
                return optax.softmax_cross_entropy_with_integer_labels(forward(p, x, spec), y).mean()

            def step(p, state, x, y):
                value, g = jax.value_and_grad(loss)(p, x, y)
                if job.rule == "sam":
                    scale = RHO / optax.tree.norm(g)
                    g = jax.grad(loss)(jax.tree.map(lambda w, d: w + scale * d, p, g), x, y)
                updates, state = base.update(g, state, p)
                return optax.apply_updates(p, updates), state, value

            self.job, self.init, self.step = job, base.init, jax.jit(step, donate_argnums=(0, 1))

        def reset(self):
            self.p = {name: jnp.array(a) for name, a in self.job.parameters.items()}
            self.state = self.init(self.p)

        def run(self, steps):
            for _ in range(steps):
                self.p, self.state, value = self.step(self.p, self.state, self.x, self.y)
            jax.block_until_ready((self.p, value))
            return np.asarray(value)

    return Jax
