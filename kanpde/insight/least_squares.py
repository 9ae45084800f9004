"""Small dense nonlinear least squares with differences for slopes."""

from __future__ import annotations

from typing import Callable

import numpy as np

STEP = 1e-6  # of a constant: central differences are then right to ten digits, enough for a quadratic end
Residuals = Callable[[np.ndarray], np.ndarray]


def jacobian(residuals: Residuals, at: np.ndarray) -> np.ndarray:
    """The derivatives [R, P] by central differences."""
    columns = []
    for k, value in enumerate(at):
        step = np.zeros_like(at)
        step[k] = STEP * max(abs(value), 1e-2)
        columns.append((residuals(at + step) - residuals(at - step)) / (2 * step[k]))
    return np.stack(columns, axis=1)


def minimised(residuals: Residuals, start: np.ndarray, steps: int = 40) -> np.ndarray:
    """Levenberg–Marquardt from a start until nothing is gained any more."""
    at, found, damping = start, residuals(start), 1e-6
    if not len(start) or not np.isfinite(found).all():
        return start
    loss = float(found @ found)
    for _ in range(steps):
        slopes = jacobian(residuals, at)
        if not np.isfinite(slopes).all():
            break
        sizes = np.linalg.norm(slopes, axis=0)
        sizes[sizes == 0] = 1.0
        scaled, gained = slopes / sizes, 0.0
        for _ in range(8):
            rows = np.vstack([scaled, np.sqrt(damping) * np.eye(len(at))])
            step = np.linalg.lstsq(rows, np.concatenate([-found, np.zeros(len(at))]), rcond=None)[0] / sizes
            ahead = residuals(at + step)
            reached = float(ahead @ ahead) if np.isfinite(ahead).all() else np.inf
            if reached < loss:
                gained = 1 - reached / loss
                at, found, loss, damping = at + step, ahead, reached, max(damping / 10, 1e-15)
                break
            damping = min(damping * 10, 1e8)
        if gained < 1e-3:
            break
    return at
