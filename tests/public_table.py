"""All public callables in one table, which each part of it fills."""

import public_data
import public_optimizers
import public_pictures
import public_study
import public_training
from public_calls import TABLE as TABLE

PARTS = (public_optimizers, public_training, public_data, public_pictures, public_study)
