"""Laplace's approximation for binomial counts with normally distributed, correlated logits.

Rasmussen & Williams, "Gaussian Processes for Machine Learning" (MIT Press 2006), section 3.4; the
covariance says which cells move together. Vectors hold one number a cell, all in the same order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_STEPS = 100
_ENOUGH = 1e-10
"""Newton's method ends when a step gains less than this of the log posterior."""
_SMALLEST_STEP = 1e-6


def posterior(
    middle: Vector, covariance: Matrix, contacts: Vector, attempts: Vector
) -> tuple[Vector, Vector]:
    """Mean and standard deviation of every cell's logit after so many contacts of so many attempts.

    Counts need not be whole: data of other months come with less weight.
    """
    pull = np.zeros_like(middle)  # covariance @ pull: how far the logits are moved from the middle

    def value(pull: Vector) -> float:
        moved = covariance @ pull
        logits = middle + moved
        fit = contacts @ logits - attempts @ np.logaddexp(0, logits)
        return float(fit - pull @ moved / 2)

    best = value(pull)
    for _ in range(_STEPS):
        share = sigmoid(middle + covariance @ pull)
        weights = attempts * share * (1 - share)
        aim = weights * (covariance @ pull) + contacts - attempts * share
        step = _newton(covariance, weights, aim) - pull
        size = 1.0
        while (found := value(pull + size * step)) < best and size > _SMALLEST_STEP:
            size /= 2  # far from the mode a whole step may lead beyond it
        if found < best + _ENOUGH:
            break
        pull, best = pull + size * step, found
    mode = middle + covariance @ pull
    return mode, _spread(covariance, attempts * sigmoid(mode) * (1 - sigmoid(mode)))


def sigmoid(logits: Vector) -> Vector:
    """Logits to probabilities."""
    return np.asarray(1 / (1 + np.exp(-logits)))


def _newton(covariance: Matrix, weights: Vector, aim: Vector) -> Vector:
    """Solve (1 + weights x covariance) pull = aim without inverting the covariance."""
    root = np.sqrt(weights)
    inner = np.eye(len(root)) + root[:, None] * covariance * root
    return np.asarray(aim - root * np.linalg.solve(inner, root * (covariance @ aim)))


def _spread(covariance: Matrix, weights: Vector) -> Vector:
    root = np.sqrt(weights)
    inner = np.eye(len(root)) + root[:, None] * covariance * root
    seen = root[:, None] * covariance
    explained = np.einsum("ij,ij->j", seen, np.linalg.solve(inner, seen))
    return np.asarray(np.sqrt(np.diag(covariance) - explained))
