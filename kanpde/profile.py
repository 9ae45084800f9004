"""Intervals by profile likelihood: how far a constant can go until all else fits the readings too badly."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Callable

import numpy as np
import torch

from kanpde.estimates import Estimates
from kanpde.fitting import Found, Sought, fitted
from kanpde.objective import Residuals
from kanpde.quantiles import CONFIDENCE, NORMAL, student_quantile

TRIALS = 12  # fits for each end
CLOSE = 1e-3  # of a quantile: an end is found
LARGEST = 2.0  # how much farther each trial goes that is not far enough


def profiled(told: Estimates, objective: Residuals, found: Found, sought: Sought) -> Estimates:
    """The estimates with ends of intervals where the signed root of the profile reaches the quantile.

    That is √(S(p) − S) = t with the sum of squares S in units of the readings' variance, and S(p) the least one with
    the constant held at p (Bates & Watts 1988, ch. 6).
    """
    loose = sum(one.freedom for one in told.scatter.values() if one.estimated)
    quantile = student_quantile(loose or NORMAL, CONFIDENCE)
    low, high = told.low.copy(), told.high.copy()
    constants = [where.start for where in sought.blocks if where not in [one.where for one in sought.functions]]
    for k, place in enumerate(constants):
        root = root_of(objective, found, sought, place)
        first = quantile * float(told.sigma[k])
        if np.isfinite(first):
            low[k] = end(root, float(told.values[k]), -first, quantile, float(sought.low[place]))
            high[k] = end(root, float(told.values[k]), first, quantile, float(sought.high[place]))
    return replace(told, low=low, high=high, method="profile")


def root_of(objective: Residuals, found: Found, sought: Sought, place: int) -> Callable[[float], float]:
    """√(S(p) − S) as a function of one fitted constant; the strength of penalties stays."""
    firm = replace(sought, functions=())

    def root(value: float) -> float:
        low, high, theta = sought.low.clone(), sought.high.clone(), found.theta.clone()
        low[place] = high[place] = theta[sought.order.inner + place] = value
        there = fitted(objective, theta, replace(firm, low=low, high=high), penalty=found.penalty)
        return sqrt(max(there.loss - found.loss, 0.0)) if torch.isfinite(there.theta).all() else np.inf

    return root


def end(root: Callable[[float], float], value: float, step: float, aim: float, bound: float) -> float:
    """Where a root that grows from 0 at a value reaches an aim, by false position; the bound if it does not before."""
    near, below, far, above = 0.0, 0.0, np.inf, np.inf
    trial = step
    for _ in range(TRIALS):
        trial = min(trial, bound - value, key=abs)
        reached = root(value + trial)
        if abs(reached - aim) <= CLOSE * aim:
            break
        if reached > aim:
            far, above = trial, reached
        elif value + trial == bound:
            return bound
        else:
            near, below = trial, reached
        if np.isfinite(above):
            trial = near + (far - near) * (aim - below) / (above - below)
        elif np.isfinite(far):
            trial = (near + far) / 2
        else:
            trial = near * min(max(aim / max(below, 1e-3 * aim), 1 + CLOSE), LARGEST)
    return value + trial
