"""The primitives and the algebra of vectors, for callers: their arguments are checked.

A record replays the calls themselves, and derivatives and steps call the functions without checks: neither pays for them.
"""

from __future__ import annotations

from ..arguments import count, counts, fitting, norm_order, number, text, truth
from ..checks import Interval
from ..kinds import floats, numbers, whole_numbers
from . import primitives as raw

VECTOR, ROWS, IMAGES = floats(1), floats(2, "(..., m, n) with m, n ≥ 1"), floats(3, "(..., c, *space, m)")
ANY, COUNT = floats(0), count()

# --- layers ----------------------------------------------------------------------------------------------------------

relu = fitting(x=ANY)(raw.relu)
tanh = fitting(x=ANY)(raw.tanh)
gelu = fitting(x=ANY)(raw.gelu)
matmul = fitting(a=ROWS, b=ROWS)(raw.matmul)
affine = fitting(x=ROWS, W=ROWS, b=VECTOR)(raw.affine)
attention = fitting(q=ROWS, k=ROWS, v=ROWS, heads=COUNT, tokens=COUNT, causal=truth)(raw.attention)
first_tokens = fitting(x=ROWS, tokens=COUNT)(raw.first_tokens)
embedding = fitting(table=ROWS, tokens=whole_numbers())(raw.embedding)
softmax = fitting(z=VECTOR)(raw.softmax)
log_softmax = fitting(z=VECTOR)(raw.log_softmax)
squared_error = fitting(a=ROWS, b=numbers(2))(raw.squared_error)
softmax_cross_entropy = fitting(z=ROWS, labels=whole_numbers(0), smoothing=number(Interval(0, 1)))(
    raw.softmax_cross_entropy
)
check_range = fitting(labels=whole_numbers(0, empty=True), classes=COUNT, called=text)(raw.check_range)

# --- images ----------------------------------------------------------------------------------------------------------

conv2d = fitting(x=IMAGES, W=IMAGES, b=VECTOR, stride=COUNT, padding=count(0))(raw.conv2d)
conv1d = fitting(x=IMAGES, W=IMAGES, b=VECTOR, stride=COUNT, padding=count(0))(raw.conv1d)
max_pool = fitting(x=IMAGES, window=counts())(raw.max_pool)
average_pool = fitting(x=IMAGES, window=counts())(raw.average_pool)
global_average_pool = fitting(x=IMAGES, n=COUNT)(raw.global_average_pool)
to_images = fitting(x=ROWS, shape=counts())(raw.to_images)
to_rows = fitting(x=IMAGES, n=COUNT)(raw.to_rows)

# --- norms -----------------------------------------------------------------------------------------------------------

moments = fitting(x=VECTOR)(raw.moments)
batch_norm = fitting(x=ROWS, gain=ROWS, bias=ROWS, mean=ROWS, variance=ROWS)(raw.batch_norm)
group_norm = fitting(x=IMAGES, gain=VECTOR, bias=VECTOR, groups=COUNT)(raw.group_norm)
layer_norm = fitting(x=ROWS, gain=VECTOR, bias=VECTOR)(raw.layer_norm)

# --- shapes ----------------------------------------------------------------------------------------------------------

T = fitting(a=ROWS)(raw.T)
spread = fitting(a=ANY, shape=counts(at_least=0, least=0))(raw.spread)
sum_to = fitting(a=ANY, shape=counts(at_least=0, least=0))(raw.sum_to)
back_to = fitting(a=ANY, g=ANY)(raw.back_to)
lift = fitting(g=ANY, axes=count(0))(raw.lift)
sum_rows = fitting(a=ROWS)(raw.sum_rows)
sum_last = fitting(a=VECTOR)(raw.sum_last)

# --- vectors (..., n) ------------------------------------------------------------------------------------------------

REAL = number(Interval(), swept=True)
dot = fitting(a=VECTOR, b=VECTOR)(raw.dot)
norm = fitting(a=VECTOR, p=norm_order)(raw.norm)
over = fitting(a=ANY, b=ANY)(raw.over)
like = fitting(value=REAL, w=ANY)(raw.like)
across = fitting(a=VECTOR, b=VECTOR)(raw.across)
along = fitting(a=VECTOR, b=VECTOR)(raw.along)
mix = fitting(a=VECTOR, b=VECTOR, share=REAL)(raw.mix)
