"""The commands that solve problems and look at results; each imports what it needs when it is called."""

from __future__ import annotations

from kanpde.commands.batch import batch
from kanpde.commands.completion import completion
from kanpde.commands.doctor import doctor
from kanpde.commands.export import export
from kanpde.commands.formula import formula
from kanpde.commands.prune import prune
from kanpde.commands.report import report
from kanpde.commands.rerun import rerun
from kanpde.commands.results import compare, eval_, plot, show
from kanpde.commands.solve import solve

COMMANDS = (solve, show, plot, eval_, compare, rerun, formula, prune, export, batch, report, doctor, completion)
