"""Gradients and Hessian-vector products: exact, recorded once and replayed."""

from .gradients import as_loss, as_loss_and_grad, check_grad, check_weights, hvp, value_and_grad

__all__ = ["as_loss", "as_loss_and_grad", "check_grad", "check_weights", "hvp", "value_and_grad"]
